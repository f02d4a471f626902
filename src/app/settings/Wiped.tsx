import { useEffect, useRef } from 'react';
import { useWords } from '../words/index.ts';
import type { Leftover } from './wipe.ts';

interface Props {
  left: readonly Leftover[];
  text: string;
  onAgain: () => void;
}

/** The end of a deletion. Nothing starts anew by itself: a page that runs would download its model again. */
export function Wiped({ left, text, onAgain }: Props) {
  const words = useWords().settings.data;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!element.current?.open) element.current?.showModal();
  }, []);
  const startAnew = () => {
    history.replaceState(null, '', '/');
    location.reload();
  };
  const done = left.length === 0;
  const names = left.map((one) => words.leftNames[one]).join(', ');
  return (
    <dialog
      ref={element}
      role="alertdialog"
      aria-labelledby="wiped-title"
      aria-describedby="wiped-text"
      // There is nothing behind it to go back to.
      onCancel={(event) => event.preventDefault()}
      onClose={() => element.current?.showModal()}
    >
      <div className="dialog-head">
        <h2 id="wiped-title">{done ? words.wipedTitle : words.leftTitle}</h2>
      </div>
      <p id="wiped-text">{done ? text : words.left(names)}</p>
      <div className="side-actions">
        {!done && (
          <button type="button" className="plain" onClick={onAgain}>
            {words.again}
          </button>
        )}
        <button type="button" className={done ? 'primary' : 'plain'} onClick={startAnew}>
          {words.startAnew}
        </button>
      </div>
    </dialog>
  );
}
