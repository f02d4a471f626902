import { useState } from 'react';
import type { ModelEntry, ShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { Dialog } from '../look/Dialog.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { goTo } from '../shell/views.ts';
import { useWords } from '../words/index.ts';
import { ModelRow } from './ModelRow.tsx';
import { coveredBy } from './model-facts.ts';
import { OpenModelFile } from './OpenModelFile.tsx';
import { useModels } from './use-models.ts';
import type { OpenModel } from './use-open-model.ts';
import './models.css';

/** The models there are, with what each of them costs and who could answer with it. */
export function ModelDialog({ file, onClose }: { file: OpenModel; onClose: () => void }) {
  const { side } = useWords();
  const { shoal, thread, settings } = useDoors();
  const { model, error: failed } = useObservable(shoal.status);
  // Asked only while the dialog is open.
  const network = useObservable(shoal.networkStatus);
  const { privacy, route } = useObservable(settings);
  const { entries, error, refresh } = useModels(shoal);
  /** What is done once the present answer may be stopped. */
  const [asking, setAsking] = useState<(() => void) | null>(null);

  /** Another model ends the answer that is being written, so that is asked first. */
  const whenFree = (work: () => void) => {
    if (thread.state.get().busy) setAsking(() => work);
    else work();
  };
  const choose = ({ id }: ModelEntry) =>
    whenFree(() => {
      thread.stop();
      // What goes wrong shows itself in the status, beside the conversation.
      void shoal.load(id).catch(() => {});
      onClose();
    });

  return (
    <Dialog title={side.models} onClose={onClose}>
      {asking && (
        <section className="card side-asking" role="alert">
          <p>{side.stopFirst}</p>
          <div className="actions">
            <button
              type="button"
              onClick={() => {
                setAsking(null);
                asking();
              }}
            >
              {side.stopAndChange}
            </button>
            <button type="button" className="quiet" onClick={() => setAsking(null)}>
              {side.keepWriting}
            </button>
          </div>
        </section>
      )}
      {failed && <LoadFailed error={failed} onClose={onClose} />}
      {route === 'network' && <p className="hint">{side.networkHint}</p>}
      {entries === null && !error && <ShoalProgress done={0} total={0} label={side.lookingForModels} />}
      {error && (
        <section className="card failed" role="alert">
          <p>{error.message}</p>
          <div className="actions">
            <button type="button" onClick={refresh}>
              {side.retry}
            </button>
          </div>
        </section>
      )}
      {entries?.length === 0 && <p className="hint">{side.noModels}</p>}
      <ul className="side-models" aria-label={side.models}>
        {entries?.map((entry) => (
          <ModelRow
            key={entry.cid}
            entry={entry}
            current={entry.cid === model?.cid}
            covered={coveredBy(entry.cid, network, privacy)}
            onChoose={() => choose(entry)}
          />
        ))}
      </ul>
      <OpenModelFile file={file} whenFree={whenFree} onOpened={onClose} />
    </Dialog>
  );
}

/** Why the last load failed, with what can be done about it. */
function LoadFailed({ error, onClose }: { error: ShoalError; onClose: () => void }) {
  const { side } = useWords();
  const { shoal } = useDoors();
  const again = () => {
    void shoal.load(shoal.status.get().model?.id).catch(() => {});
    onClose();
  };
  const toSettings = () => {
    onClose();
    goTo('settings');
  };
  return (
    <section className="card failed" role="alert">
      <p>{error.message}</p>
      <div className="actions">
        <button type="button" onClick={again}>
          {side.retry}
        </button>
        {error.next === 'free-space' && (
          <button type="button" onClick={toSettings}>
            {side.freeSpace}
          </button>
        )}
        {error.next === 'reload' && (
          <button type="button" onClick={() => location.reload()}>
            {side.reload}
          </button>
        )}
      </div>
    </section>
  );
}
