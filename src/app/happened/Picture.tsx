import { type CSSProperties, memo } from 'react';
import type { Happened } from '../chat/types.ts';
import { useWords } from '../words/index.ts';
import { formatTime, nameOf, whatWasLost } from './names.ts';
import { BINS, type Phase, type PhaseName, type Timeline } from './timeline.ts';

interface Props {
  happened: Happened;
  timeline: Timeline;
  /** Where the slider is. */
  entry: Happened['trace'][number] | null;
}

const PHASES: readonly PhaseName[] = ['opening', 'prefill', 'tokens', 'pause'];

/** Phases above, then one row for each who worked: how high a bar is tells how busy they were at that time. */
export function Picture({ happened, timeline, entry }: Props) {
  const { timeline: words } = useWords().happened;
  const { total, phases, lanes, losses } = timeline;
  const percent = (ms: number) => `${(100 * Math.min(1, Math.max(0, ms / total))).toFixed(3)}%`;
  const chosen: CSSProperties | undefined = entry
    ? { insetInlineStart: percent(entry.at_ms), width: percent('ms' in entry ? entry.ms : 0) }
    : undefined;
  const cursor = chosen && <i className="happened-cursor" style={chosen} />;
  return (
    <figure className="happened-picture" role="img" aria-label={words.picture}>
      <div className="happened-row">
        <div className="happened-track happened-phases">
          {phases.map((phase, i) => (
            <i
              key={i}
              data-phase={phase.name}
              style={{ insetInlineStart: percent(phase.from), width: percent(phase.to - phase.from) }}
            />
          ))}
          {losses.map((loss) => (
            <b
              key={`${loss.at_ms} ${loss.peer}`}
              className="happened-loss"
              style={{ insetInlineStart: percent(loss.at_ms) }}
              title={whatWasLost(loss, words)}
            >
              ✕
            </b>
          ))}
          {cursor}
        </div>
      </div>
      {lanes.map((lane) => (
        <div
          className="happened-row"
          key={lane.who}
          data-who={typeof lane.who === 'number' ? 'hop' : lane.who}
        >
          <span>
            {nameOf(lane.who, happened, words)} <small>{formatTime(lane.ms)}</small>
          </span>
          <div className="happened-track">
            <Bars busy={lane.busy} />
            {cursor}
          </div>
        </div>
      ))}
      <div className="happened-axis">
        <span>0 s</span>
        <span>{formatTime(total / 2)}</span>
        <span>{formatTime(total)}</span>
      </div>
      <ul className="happened-legend">
        {PHASES.map((name) => [name, timeOf(phases, name)] as const)
          .filter(([, ms]) => ms !== null)
          .map(([name, ms]) => (
            <li key={name}>
              <i data-phase={name} /> {words.phase(words.phases[name], formatTime(ms ?? 0))}
            </li>
          ))}
        {losses.length > 0 && (
          <li>
            <b className="happened-loss">✕</b> {words.lossMark}
          </li>
        )}
      </ul>
    </figure>
  );
}

/** All of a phase; null where there was none. */
function timeOf(phases: readonly Phase[], name: PhaseName): number | null {
  const own = phases.filter((phase) => phase.name === name);
  return own.length === 0 ? null : own.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** One shape for a whole row: a staircase over the bins. */
const Bars = memo(function Bars({ busy }: { busy: readonly number[] }) {
  // What is there at all is seen.
  const height = (share: number) => (share < 1e-6 ? 0 : Math.max(0.06, share));
  const steps = busy.map((share, i) => `L${i} ${(1 - height(share)).toFixed(3)}H${i + 1}`).join('');
  return (
    <svg
      className="happened-bars"
      viewBox={`0 0 ${BINS} 1`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d={`M0 1${steps}L${BINS} 1Z`} fill="currentColor" />
    </svg>
  );
});
