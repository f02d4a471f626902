import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { AddRelay } from './AddRelay.tsx';
import { Section } from './Section.tsx';
import { useChange } from './saved.tsx';

/** Which relays this page joins. The first one over http gives the models. */
export function RelaysSection() {
  const words = useWords().settings.relays;
  const { settings, relay: named } = useDoors();
  const { relays } = useObservable(settings);
  const change = useChange();
  const started = settings.atStart.relays;
  const differs = relays.length !== started.length || relays.some((relay, i) => relay !== started[i]);
  const models = relays.find((relay) => !relay.startsWith('/'));
  return (
    <Section title={words.title} hint={words.hint}>
      {named !== null && <p className="settings-note">{words.named(named)}</p>}
      {relays.length === 0 ? (
        <p>{words.own}</p>
      ) : (
        <>
          <ul className="settings-rows" aria-label={words.list}>
            {relays.map((relay) => (
              <li key={relay}>
                <span className="settings-row-text">
                  {relay}
                  {relay === models && <small>{words.models}</small>}
                </span>
                <button
                  type="button"
                  className="icon"
                  aria-label={words.remove(relay)}
                  onClick={() => change({ relays: relays.filter((one) => one !== relay) })}
                >
                  <Icon name="trash" />
                </button>
              </li>
            ))}
          </ul>
          <div className="settings-actions">
            <button type="button" className="plain" onClick={() => change({ relays: [] })}>
              {words.useOwn}
            </button>
          </div>
        </>
      )}
      <AddRelay known={relays} onAdd={(relay) => change({ relays: [...relays, relay] })} />
      {differs && (
        <div className="settings-note" role="status">
          <p>{words.reload}</p>
          <button type="button" className="plain" onClick={() => location.reload()}>
            {words.reloadNow}
          </button>
        </div>
      )}
    </Section>
  );
}
