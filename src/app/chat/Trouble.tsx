import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { goTo } from '../shell/views.ts';
import { useWords } from '../words/index.ts';

/** A connection that is missing where one is needed, with what to do. A model that is here answers without any. */
export function Trouble() {
  const { trouble: words } = useWords().chat;
  const { shoal, settings, pwa } = useDoors();
  const { online } = useObservable(pwa.state);
  const { phase } = useObservable(shoal.status);
  const { state } = useObservable(shoal.membership);
  const { route } = useObservable(settings);
  const needsNetwork = route === 'network';
  const waits = phase === 'fetching' && route !== 'network';
  if (!online && (waits || needsNetwork)) {
    return (
      <section className="card" aria-label={words.label}>
        <p>{needsNetwork ? words.relayGone : words.offline}</p>
        {needsNetwork && <ToThisTab />}
      </section>
    );
  }
  if (!needsNetwork || state !== 'offline') return null;
  return (
    <section className="card" aria-label={words.label}>
      <p>{words.relayGone}</p>
      <div className="actions">
        <button type="button" onClick={() => void shoal.join().catch(() => {})}>
          {words.tryNow}
        </button>
        <button type="button" onClick={() => goTo('network')}>
          {words.seeNetwork}
        </button>
      </div>
      <ToThisTab />
    </section>
  );
}

function ToThisTab() {
  const { trouble: words } = useWords().chat;
  const { shoal, settings } = useDoors();
  return (
    <div className="actions">
      <button
        type="button"
        onClick={() => {
          settings.change({ route: 'auto' });
          if (shoal.status.get().phase === 'idle') void shoal.load().catch(() => {});
        }}
      >
        {words.inThisTab}
      </button>
    </div>
  );
}
