import { useMemo, useState } from 'react';
import type { Happened } from '../chat/types.ts';
import { formatMs } from '../format.ts';
import { useWords } from '../words/index.ts';
import { formatTime, shortNameOf, stepText, whatWasLost } from './names.ts';
import { Picture } from './Picture.tsx';
import { Steps } from './Steps.tsx';
import { summaryOf } from './summary.ts';
import { timelineOf } from './timeline.ts';

/** A turn in words, as a picture, and as a table. */
export function Timeline({ happened }: { happened: Happened }) {
  const { timeline: words } = useWords().happened;
  const timeline = useMemo(() => timelineOf(happened), [happened]);
  return (
    <>
      <InWords happened={happened} />
      {timeline ? (
        <>
          <Explored happened={happened} timeline={timeline} />
          <Steps happened={happened} timeline={timeline} />
        </>
      ) : (
        <p className="hint">{words.none}</p>
      )}
    </>
  );
}

function InWords({ happened }: { happened: Happened }) {
  const { timeline: words } = useWords().happened;
  const { timings, trace, promptTokens, answerTokens, model } = happened;
  const { most, slowest } = useMemo(() => summaryOf(happened), [happened]);
  const steps = trace.filter(({ kind }) => kind === 'token' || kind === 'prefill').length;
  const sentences = [
    words.by(words.count(promptTokens), words.count(answerTokens), model),
    timings.first_token_ms > 0 && words.firstToken(formatTime(timings.first_token_ms)),
    most && words.most(most.percent, words.parts[most.part]),
    slowest && words.slowest(shortNameOf(slowest.hop, words), formatMs(slowest.ms)),
    !most && words.sums(formatTime(timings.compute_ms), formatTime(timings.wire_ms)),
    ...trace.map((entry) => {
      if (entry.kind === 'lost') return words.lost(whatWasLost(entry, words), entry.reason);
      return entry.kind === 'recovered' && words.recovered(formatTime(entry.ms), entry.replayed);
    }),
    steps > 0 && steps < answerTokens && words.shortened(steps, answerTokens),
  ];
  return <p className="happened-words">{sentences.filter(Boolean).join(' ')}</p>;
}

type Shown = NonNullable<ReturnType<typeof timelineOf>>;

/** The picture, and a slider that tells of each step: with the pointer, a finger, or the arrow keys. */
function Explored({ happened, timeline }: { happened: Happened; timeline: Shown }) {
  const { timeline: words } = useWords().happened;
  const { trace } = happened;
  const [chosen, setChosen] = useState<number | null>(null);
  const at = Math.min(chosen ?? 0, trace.length - 1);
  const text = stepText(at, happened, words);
  return (
    <>
      <Picture happened={happened} timeline={timeline} entry={chosen === null ? null : trace[at]!} />
      {trace.length > 1 && (
        <div className="happened-step">
          <input
            type="range"
            min={0}
            max={trace.length - 1}
            value={at}
            aria-label={words.step}
            aria-valuetext={text}
            onChange={(event) => setChosen(event.currentTarget.valueAsNumber)}
          />
          {/* The slider says it itself. */}
          <p className="hint" aria-hidden="true">
            {text}
          </p>
        </div>
      )}
    </>
  );
}
