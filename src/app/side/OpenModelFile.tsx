import { useRef } from 'react';
import { formatBytes } from '../format.ts';
import { FilePicker } from '../look/FilePicker.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useWords } from '../words/index.ts';
import type { OpenModel } from './use-open-model.ts';

interface Props {
  file: OpenModel;
  /** Asks before a running answer is stopped. */
  whenFree: (work: () => void) => void;
  onOpened: () => void;
}

/** A model file of the user's own: picked, read with progress, refused with what to do. */
export function OpenModelFile({ file, whenFree, onOpened }: Props) {
  const { side } = useWords();
  const picker = useRef<HTMLInputElement>(null);
  const { status, error, open, cancel, dismiss } = file;
  const pick = () => picker.current?.click();
  return (
    <section className="side-open-file">
      {error && (
        <section className="card failed" aria-label={side.modelFile}>
          <p role="alert">{error.message}</p>
          <div className="actions">
            <button type="button" onClick={pick}>
              {side.openAnother}
            </button>
            <button type="button" className="quiet" onClick={dismiss}>
              {side.dismiss}
            </button>
          </div>
        </section>
      )}
      {status ? (
        <section className="card" aria-label={side.modelFile}>
          <p className="progress-head">
            <span>{status.detail}</span>
            <button type="button" className="quiet" onClick={cancel}>
              {side.cancel}
            </button>
          </p>
          <ShoalProgress done={status.done} total={status.total} label={status.detail} />
          <p className="hint">
            {status.total > 0 && side.bytesOf(formatBytes(status.done), formatBytes(status.total))}
          </p>
        </section>
      ) : (
        !error && (
          <button type="button" className="plain" onClick={() => whenFree(pick)}>
            {side.openFile}
          </button>
        )
      )}
      <p className="hint">{side.openFileHint}</p>
      <FilePicker
        input={picker}
        label={side.modelFile}
        multiple
        onPick={(files) => void open(files).then((opened) => opened && onOpened())}
      />
    </section>
  );
}
