import { useState } from 'react';
import { type ModelEntry, type ShoalError, toShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { Icon } from '../look/Icon.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { Confirm } from '../side/Confirm.tsx';
import { useModels } from '../side/use-models.ts';
import { useWords } from '../words/index.ts';
import { Section } from './Section.tsx';
import { SpaceUsed } from './SpaceUsed.tsx';

/** What this browser keeps: each model, how much it is in all, and whether it stays. */
export function StorageSection() {
  const words = useWords().settings.storage;
  const { shoal, conversations } = useDoors();
  const { storage } = useObservable(shoal.status);
  const { items } = useObservable(conversations.state);
  const { entries, error, refresh } = useModels(shoal);
  const [removing, setRemoving] = useState<ModelEntry | null>(null);
  const [failed, setFailed] = useState<ShoalError | null>(null);
  const kept = entries?.filter((entry) => entry.kept > 0 || entry.origin === 'file') ?? [];
  const problem = failed ?? error;

  const remove = async ({ id }: ModelEntry) => {
    setFailed(null);
    try {
      await shoal.remove(id);
    } catch (failure) {
      setFailed(toShoalError(failure));
    }
    refresh();
  };
  return (
    <Section title={words.title}>
      <h3>{words.models}</h3>
      {storage?.kind === 'memory' && <p className="settings-note">{words.inMemory}</p>}
      {entries === null && !error && <ShoalProgress done={0} total={0} label={words.loading} />}
      {problem && (
        <div className="settings-note" role="alert">
          <p>{problem.message}</p>
          <button
            type="button"
            className="plain"
            onClick={() => {
              setFailed(null);
              refresh();
            }}
          >
            {words.retry}
          </button>
        </div>
      )}
      {entries !== null && kept.length === 0 && <p>{words.noModels}</p>}
      {kept.length > 0 && (
        <ul className="settings-rows" aria-label={words.models}>
          {kept.map((entry) => (
            <li key={entry.cid}>
              <span className="settings-row-text">
                {entry.name}
                <small>{words.kept(formatBytes(entry.kept), formatBytes(entry.bytes))}</small>
              </span>
              <button
                type="button"
                className="icon"
                aria-label={words.remove(entry.name)}
                onClick={() => setRemoving(entry)}
              >
                <Icon name="trash" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <SpaceUsed watched={entries} />
      <p>{words.conversations(items.length)}</p>
      {removing && (
        <Confirm
          title={words.removeTitle}
          text={(removing.origin === 'file' ? words.removeFileText : words.removeText)(
            removing.name,
            formatBytes(removing.kept),
          )}
          action={words.delete}
          onClose={() => setRemoving(null)}
          onConfirm={() => void remove(removing)}
        />
      )}
    </Section>
  );
}
