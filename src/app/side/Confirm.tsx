import { useEffect, useRef } from 'react';
import { Dialog } from '../look/Dialog.tsx';
import { useWords } from '../words/index.ts';

interface Props {
  title: string;
  text: string;
  /** What is done, as a verb. */
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be taken back; the focus begins on the harmless button. */
export function Confirm({ title, text, action, onConfirm, onClose }: Props) {
  const { side } = useWords();
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), []);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="side-actions">
        <button ref={cancel} type="button" className="plain" onClick={onClose}>
          {side.cancel}
        </button>
        <button
          type="button"
          className="bad"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}
