import { useState } from 'react';
import { useDoors } from '../doors.ts';
import { Dialog } from '../look/Dialog.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Notice } from './Notice.tsx';

/** A newer page waits. It comes when the user says so; while an answer is being written, only after another question. */
export function UpdateNotice() {
  const { pwa: words } = useWords();
  const { pwa, thread } = useDoors();
  const { update } = useObservable(pwa.state);
  const [asking, setAsking] = useState(false);
  const reload = () => {
    if (thread.state.get().busy) setAsking(true);
    else void pwa.applyUpdate();
  };
  return (
    <>
      <Notice text={words.newer}>
        <button type="button" className="primary" disabled={update === 'reloading'} onClick={reload}>
          {update === 'reloading' ? words.reloading : words.reload}
        </button>
      </Notice>
      {asking && (
        <Dialog title={words.busyTitle} onClose={() => setAsking(false)}>
          <p>{words.busy}</p>
          <div className="pwa-ask">
            <button type="button" className="plain" onClick={() => setAsking(false)}>
              {words.busyWait}
            </button>
            <button
              type="button"
              className="primary"
              onClick={() => {
                setAsking(false);
                thread.stop();
                void pwa.applyUpdate();
              }}
            >
              {words.busyReload}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
