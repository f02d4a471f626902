import { useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Notice } from './Notice.tsx';

const OFFERED = 'shoal.install-offered';

/** The offer to install: in one visit only, and after a first exchange, when it is known what for. Later: Settings. */
export function InstallNotice() {
  const { pwa: words } = useWords();
  const { pwa, thread, keep } = useDoors();
  const { installable, offlineReady } = useObservable(pwa.state);
  const { messages, busy } = useObservable(thread.state);
  const [offered] = useState(() => keep.getItem(OFFERED) !== null);
  const [dismissed, setDismissed] = useState(false);
  const shown = installable && offlineReady && messages.length > 1 && !busy && !offered && !dismissed;

  useEffect(() => {
    if (!shown) return;
    try {
      keep.setItem(OFFERED, 'yes');
    } catch {
      // No room for a word: it is offered once more.
    }
  }, [shown, keep]);

  if (!shown) return null;
  return (
    <Notice text={words.install}>
      <button type="button" onClick={() => void pwa.install()}>
        {words.installNow}
      </button>
      <button type="button" className="quiet" onClick={() => setDismissed(true)}>
        {words.dismiss}
      </button>
    </Notice>
  );
}
