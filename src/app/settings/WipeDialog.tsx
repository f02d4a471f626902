import { type FormEvent, useState } from 'react';
import { useDoors } from '../doors.ts';
import { Dialog } from '../look/Dialog.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useWords } from '../words/index.ts';
import { stopAll } from './stop-all.ts';
import { Wiped } from './Wiped.tsx';
import { type Leftover, wipe } from './wipe.ts';

interface Props {
  onExport: () => Promise<void>;
  onClose: () => void;
}

/** Deletes everything after a word was written, so that no slip of a finger does it. */
export function WipeDialog({ onExport, onClose }: Props) {
  const words = useWords().settings.data;
  const doors = useDoors();
  const [typed, setTyped] = useState('');
  const [wiping, setWiping] = useState(false);
  const [left, setLeft] = useState<readonly Leftover[] | null>(null);

  const run = async () => {
    setLeft(null);
    setWiping(true);
    setLeft(await wipe(() => stopAll(doors)));
    setWiping(false);
  };
  if (left !== null) return <Wiped left={left} text={words.wiped} onAgain={() => void run()} />;
  const confirmed = typed.trim().toLowerCase() === words.wipeWord;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (confirmed && !wiping) void run();
  };
  return (
    <Dialog title={words.wipeTitle} onClose={wiping ? () => {} : onClose}>
      <form className="settings-wipe" onSubmit={onSubmit}>
        <p>{words.wipeText}</p>
        <label>
          <span>{words.wipeConfirm(words.wipeWord)}</span>
          <input
            type="text"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={typed}
            disabled={wiping}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {wiping && <ShoalProgress done={0} total={0} label={words.wiping} />}
        <div className="side-actions">
          <button type="button" className="quiet" disabled={wiping} onClick={() => void onExport()}>
            {words.wipeExportFirst}
          </button>
          <button type="button" className="plain" disabled={wiping} onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" className="bad" disabled={!confirmed || wiping}>
            {words.wipeAction}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
