import { useState } from 'react';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { ChatOptionsDialog } from './ChatOptionsDialog.tsx';
import { ownOptions } from './options.ts';
import './picker.css';

/** System prompt and sampling of this chat; a number tells how many of them are its own. */
export function ChatOptionsButton() {
  const { side } = useWords();
  const { thread } = useDoors();
  const own = ownOptions(useObservable(thread.state));
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="icon side-options-button"
        aria-label={own > 0 ? `${side.options}, ${side.optionsOwn(own)}` : side.options}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="settings" />
        {own > 0 && (
          <span className="side-badge" aria-hidden="true">
            {own}
          </span>
        )}
      </button>
      {open && <ChatOptionsDialog onClose={() => setOpen(false)} />}
    </>
  );
}
