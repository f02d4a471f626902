import { useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useWords } from '../words/index.ts';

/** Milliseconds that an answer takes before one would like to be told that it is done. */
const LONG_MS = 10_000;
const ASKED = 'shoal.notify.asked';

/** Offers notifications where they would have helped: a long answer ended while nobody looked. Once. */
export function NotifyOffer() {
  const { notify: words } = useWords().chat;
  const { thread, settings, pwa, keep } = useDoors();
  const [shown, setShown] = useState<'offer' | 'refused' | null>(null);

  useEffect(() => {
    if (!('Notification' in window) || keep.getItem(ASKED)) return;
    let began: number | null = null;
    return thread.state.subscribe(({ busy }) => {
      if (busy) began ??= Date.now();
      else if (began !== null) {
        const missed = document.hidden && Date.now() - began >= LONG_MS && !settings.get().notify;
        began = null;
        if (missed) setShown('offer');
      }
    });
  }, [keep, settings, thread]);

  if (!shown) return null;
  const close = () => {
    setShown(null);
    try {
      keep.setItem(ASKED, '1');
    } catch {
      // The small storage is full: it is offered once more some day.
    }
  };
  const accept = async () => {
    const given = await pwa.askToNotify();
    if (!given) return setShown('refused');
    settings.change({ notify: true });
    close();
  };
  return (
    <section className="card" aria-label={words.label}>
      <p>{shown === 'offer' ? words.offer : words.refused}</p>
      <div className="actions">
        {shown === 'offer' && (
          <button type="button" onClick={() => void accept()}>
            {words.yes}
          </button>
        )}
        <button type="button" className="quiet" onClick={close}>
          {shown === 'offer' ? words.no : words.close}
        </button>
      </div>
    </section>
  );
}
