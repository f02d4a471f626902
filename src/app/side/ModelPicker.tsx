import { useEffect, useState } from 'react';
import type { Status } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords, type Words } from '../words/index.ts';
import { ModelDialog } from './ModelDialog.tsx';
import { useOpenModel } from './use-open-model.ts';
import './picker.css';

/** Which model answers, and how far it is; pressed, the choice of another. */
export function ModelPicker() {
  const { side } = useWords();
  const { shoal, settings } = useDoors();
  const status = useObservable(shoal.status);
  const { route } = useObservable(settings);
  const [open, setOpen] = useState(false);
  // Here, because a large file is read on while the dialog is closed.
  const file = useOpenModel(shoal);
  useEffect(() => {
    // What went wrong with it is told where another one can be picked.
    if (file.error) setOpen(true);
  }, [file.error]);
  const shown = file.status ?? status;
  const away = route === 'network' && status.phase === 'idle';
  const name = away ? side.overNetwork : (status.model?.name ?? side.chooseModel);
  return (
    <>
      <button
        type="button"
        className="side-model-button"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <span className="visually-hidden">{side.model} </span>
        <span className="side-title">{name}</span>{' '}
        <small>{away && !file.status ? '' : stateOf(shown, side)}</small>
        <Icon name="down" size={16} />
      </button>
      {open && <ModelDialog file={file} onClose={() => setOpen(false)} />}
    </>
  );
}

function stateOf({ phase, model, done, total }: Status, side: Words['side']): string {
  if (phase === 'ready') return side.ready;
  if (total > 0) return side.percent(Math.floor((100 * done) / total));
  if (phase === 'idle' || phase === 'failed') return model ? side.notLoaded : '';
  return side.preparing;
}
