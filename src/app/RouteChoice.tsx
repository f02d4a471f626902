import type { Privacy, Route } from '../sdk/index.ts';
import type { Settings } from './settings.ts';

interface Props {
  settings: Settings;
  onChange: (change: Partial<Settings>) => void;
}

/** Where answers come from and, over the network, who may read along. */
export function RouteChoice({ settings: { route, privacy }, onChange }: Props) {
  return (
    <>
      <select
        aria-label="Route"
        value={route}
        onChange={(event) => onChange({ route: event.currentTarget.value as Route })}
      >
        <option value="auto">Answer: automatically</option>
        <option value="local">Answer: in this tab</option>
        <option value="network">Answer: over the network</option>
      </select>
      {route !== 'local' && (
        <select
          aria-label="Privacy"
          aria-describedby="privacy-note"
          value={privacy}
          onChange={(event) => onChange({ privacy: event.currentTarget.value as Privacy })}
        >
          <option value="private">Private</option>
          <option value="light">Light</option>
        </select>
      )}
    </>
  );
}

/** One sentence on who can read what. Shown where it is a choice made by the user; else only told to a screen reader. */
export function PrivacyNote({ settings: { route, privacy } }: Pick<Props, 'settings'>) {
  if (route === 'local') return null;
  const plain = route === 'network' || privacy === 'light';
  return (
    <p id="privacy-note" className={plain ? 'hint' : 'visually-hidden'}>
      {privacy === 'private'
        ? 'Private: over the network, peers get hidden states instead of words, but one who tries can recover a part of the text from them.'
        : 'Light: over the network, the first and the last peer can read the conversation, and this device computes nothing.'}
    </p>
  );
}
