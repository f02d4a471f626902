import { useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { PrivacyDialog } from './PrivacyDialog.tsx';
import { whoAnswers } from './who-answers.ts';
import './happened.css';

/** One sentence on who could read what is sent next: before the first send in a mode it stands out. */
export function PrivacyNote() {
  const { shoal, settings } = useDoors();
  const { phase } = useObservable(shoal.status);
  const { route, whileLoading } = useObservable(settings);
  const who = whoAnswers(route, phase, whileLoading);
  // Whether the network can answer is only watched where it matters.
  return who === 'asked' ? <IfCovered /> : <Note who={who} />;
}

/** There is a choice when the network holds the model. */
function IfCovered() {
  const { shoal } = useDoors();
  const { model } = useObservable(shoal.status);
  const { coverage } = useObservable(shoal.networkStatus);
  const own = coverage.find(({ cid }) => cid === model?.cid);
  return <Note who={own && own.missing.length === 0 ? 'network' : 'perhaps'} />;
}

function Note({ who }: { who: 'tab' | 'perhaps' | 'network' }) {
  const { note: words } = useWords().happened;
  const { settings } = useDoors();
  const { privacy, told } = useObservable(settings);
  const [open, setOpen] = useState(false);
  const first = who === 'network' && !told.includes(privacy);
  useTold(first);
  const toldAlready = privacy === 'private' ? words.toldPrivate : words.toldLight;
  const sentence = told.includes(privacy) ? toldAlready : words[privacy];
  // Also while it is not known yet who answers: the note must not grow under what is being read.
  const standsOut = who !== 'tab' && !told.includes(privacy);
  return (
    <>
      <p id="privacy-note" role="note" className={standsOut ? 'happened-note first' : 'happened-note'}>
        {who === 'tab' ? words.local : who === 'network' ? sentence : words.perhaps(sentence)}{' '}
        <button type="button" onClick={() => setOpen(true)}>
          {first ? words.how : words.more}
        </button>
      </p>
      {open && <PrivacyDialog onClose={() => setOpen(false)} />}
    </>
  );
}

/** A question that is sent while the sentence stands out was sent by somebody who was told. */
function useTold(first: boolean): void {
  const { thread, settings } = useDoors();
  useEffect(() => {
    if (!first) return;
    let { busy } = thread.state.get();
    return thread.state.subscribe((state) => {
      const sent = state.busy && !busy;
      busy = state.busy;
      if (!sent) return;
      const { told, privacy } = settings.get();
      if (!told.includes(privacy)) settings.change({ told: [...told, privacy] });
    });
  }, [first, thread, settings]);
}
