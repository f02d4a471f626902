import type { Privacy, Route } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';

/** Where answers come from and, over the network, who may read along. */
export function RouteChoice() {
  const { route: words } = useWords().chat;
  const { shoal, settings } = useDoors();
  const { route, privacy } = useObservable(settings);
  const choose = (chosen: Route) => {
    settings.change({ route: chosen });
    // A page that began on the network alone has no model yet. A load that fails shows itself in the status.
    if (chosen !== 'network' && shoal.status.get().phase === 'idle') void shoal.load().catch(() => {});
  };
  return (
    <>
      <select
        aria-label={words.label}
        value={route}
        onChange={(event) => choose(event.currentTarget.value as Route)}
      >
        <option value="auto">{words.auto}</option>
        <option value="local">{words.local}</option>
        <option value="network">{words.network}</option>
      </select>
      {route !== 'local' && (
        <select
          aria-label={words.privacy}
          aria-describedby="privacy-note"
          value={privacy}
          onChange={(event) => settings.change({ privacy: event.currentTarget.value as Privacy })}
        >
          <option value="private">{words.private}</option>
          <option value="light">{words.light}</option>
        </select>
      )}
    </>
  );
}
