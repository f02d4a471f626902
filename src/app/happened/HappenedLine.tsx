import { lazy, Suspense, useId, useState } from 'react';
import type { Happened, ThreadMessage } from '../chat/types.ts';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { Fetched } from './Fetched.tsx';
import { lineOf } from './line.ts';
import './happened.css';

/** Drawn for those who ask, which few do for few answers. */
const fetched = () => lazy(async () => ({ default: (await import('./Timeline.tsx')).Timeline }));
let Timeline = fetched();
/** What did not arrive is asked for again by whoever opens it next. */
const fetchAgain = () => {
  Timeline = fetched();
};

/** How an answer came about, in one line; opened, step by step. Nothing for a message that does not know. */
export function HappenedLine({ message }: { message: ThreadMessage }) {
  return message.happened && <Line happened={message.happened} />;
}

function Line({ happened }: { happened: Happened }) {
  const { happened: words } = useWords();
  const [open, setOpen] = useState(false);
  const panel = useId();
  return (
    <div className="happened" style={open ? { flexBasis: '100%' } : undefined}>
      <button
        type="button"
        className="quiet happened-line"
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        title={words.opens}
        onClick={() => setOpen(!open)}
      >
        <span className="provenance">{lineOf(happened, words.line)}</span>
        <Icon name="down" size={15} />
      </button>
      {open && (
        <section id={panel} className="happened-panel" aria-label={words.timeline.label}>
          <Fetched failed={words.notLoaded} onFailed={fetchAgain}>
            <Suspense fallback={<p className="hint">{words.loading}</p>}>
              <Timeline happened={happened} />
            </Suspense>
          </Fetched>
        </section>
      )}
    </div>
  );
}
