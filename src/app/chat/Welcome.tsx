import type { ReactNode } from 'react';
import type { Status } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { Logo } from '../look/Logo.tsx';
import { useObservable } from '../look/use-observable.ts';
import type { Settings } from '../settings/settings.ts';
import { useWords, type Words } from '../words/index.ts';
import { useChatPage, useThread } from './page.ts';

/** What a person sees before the first question: what this is, what happens to their words, and something to ask. */
export function Welcome({ children }: { children: ReactNode }) {
  const words = useWords().chat.welcome;
  const { shoal, settings, thread } = useDoors();
  const { focusBox } = useChatPage();
  const status = useObservable(shoal.status);
  const now = useObservable(settings);
  const temporary = useThread((state) => state.temporary);
  return (
    <div className="chat-welcome">
      <Logo size={56} />
      <h1>{temporary ? words.temporary : now.route === 'network' ? words.network : words.here}</h1>
      <p>
        {about(status, now.route, words)} {secrecy(now, words)}
      </p>
      <ul aria-label={words.examplesLabel}>
        {words.examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              onClick={() => {
                void thread.send(example);
                focusBox();
              }}
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
      {children}
    </div>
  );
}

function about(
  { model, phase }: Status,
  route: Settings['route'],
  words: Words['chat']['welcome'],
): ReactNode {
  if (route === 'network') return words.layers;
  if (!model) return words.fetched;
  return (
    <>
      <strong>{model.name}</strong>{' '}
      {phase === 'ready' && model.cached ? words.kept : words.named(formatBytes(model.bytes))}
    </>
  );
}

/** What happens to the words; the note under the box says how far it goes. */
function secrecy({ route, privacy }: Settings, words: Words['chat']['welcome']): string {
  if (route === 'local') return words.local;
  if (privacy === 'light') return route === 'network' ? words.light : words.lightAuto;
  return route === 'network' ? words.private : words.auto;
}
