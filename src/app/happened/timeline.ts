import type { Happened } from '../chat/types.ts';

type Entry = Happened['trace'][number];
export type StepEntry = Extract<Entry, { kind: 'prefill' | 'token' }>;
export type PhaseName = 'opening' | 'prefill' | 'tokens' | 'pause';

/** Milliseconds `[from, to)` since the turn began. */
export interface Phase {
  name: PhaseName;
  from: number;
  to: number;
}

/** Whose time it is: this tab, a hop by its place in the chain, or the way between them. */
export type Who = 'own' | 'wire' | number;

export interface Lane {
  who: Who;
  /** Share of each bin's time that it was busy, of the largest share of all lanes: 0 to 1. */
  busy: number[];
  ms: number;
}

export interface Timeline {
  /** Milliseconds. */
  total: number;
  phases: Phase[];
  lanes: Lane[];
  losses: Extract<Entry, { kind: 'lost' }>[];
  /** Tokens whose step the trace holds. */
  tokens: number;
}

/** Bins of the picture: narrower ones are below a pixel on a phone. */
export const BINS = 160;

/** The turn as lanes over time, whether it has one step or thousands. Null without steps. */
export function timelineOf({ trace, route }: Happened): Timeline | null {
  const steps = trace.filter(isStep);
  if (steps.length === 0) return null;
  const total = Math.max(1e-3, ...ends(trace));
  const hops = steps.reduce((most, { hops_ms }) => Math.max(most, hops_ms.length), 0);
  const everyone: Who[] = ['own', ...Array.from({ length: hops }, (_, i) => i)];
  if (route === 'network') everyone.push('wire');
  const pauses = trace.filter((entry) => entry.kind === 'recovered');
  const all = everyone.map((who) =>
    laneOf(who, who === 'wire' ? withoutPauses(steps, pauses) : steps, total),
  );
  const busiest = Math.max(1e-9, ...all.flatMap(({ busy }) => busy));
  const lanes = all
    .map((lane) => ({ ...lane, busy: lane.busy.map((share) => share / busiest) }))
    // In light mode this tab computes nothing; a lane for each hop stays.
    .filter(({ who, ms }) => who !== 'own' || ms > 0 || everyone.length === 1);
  return {
    total,
    // A pause lies within the step that it interrupts: it is drawn above it.
    phases: phasesOf(trace).toSorted((a, b) => Number(a.name === 'pause') - Number(b.name === 'pause')),
    lanes,
    losses: trace.filter((entry) => entry.kind === 'lost'),
    tokens: steps.length,
  };
}

export function isStep(entry: Entry): entry is StepEntry {
  return entry.kind === 'prefill' || entry.kind === 'token';
}

export function msOf({ own_ms, hops_ms, wire_ms }: StepEntry, who: Who): number {
  if (who === 'own') return own_ms;
  return who === 'wire' ? wire_ms : (hops_ms[who] ?? 0);
}

/** While somebody is replaced nothing is on the way, though no engine accounts for that time. */
function withoutPauses(
  steps: readonly StepEntry[],
  pauses: readonly Extract<Entry, { kind: 'recovered' }>[],
): StepEntry[] {
  return steps.map((step) => {
    const inside = pauses.filter(({ at_ms }) => at_ms >= step.at_ms && at_ms < step.at_ms + step.ms);
    return { ...step, wire_ms: Math.max(0, step.wire_ms - inside.reduce((sum, { ms }) => sum + ms, 0)) };
  });
}

/** Where in a step somebody was busy is not told: its share is spread over the step. */
function laneOf(who: Who, steps: readonly StepEntry[], total: number): Lane {
  const busy = new Array<number>(BINS).fill(0);
  const width = total / BINS;
  let all = 0;
  for (const step of steps) {
    const ms = Math.max(0, msOf(step, who));
    all += ms;
    if (step.ms <= 0 || ms === 0) continue;
    const share = Math.min(1, ms / step.ms);
    const first = Math.max(0, Math.floor(step.at_ms / width));
    const last = Math.min(BINS - 1, Math.floor((step.at_ms + step.ms) / width));
    for (let bin = first; bin <= last; bin++) {
      const overlap = Math.min(step.at_ms + step.ms, (bin + 1) * width) - Math.max(step.at_ms, bin * width);
      busy[bin]! += (share * Math.max(0, overlap)) / width;
    }
  }
  return { who, busy: busy.map((share) => Math.min(1, share)), ms: all };
}

function phasesOf(trace: readonly Entry[]): Phase[] {
  const phases: Phase[] = [];
  for (const entry of trace) {
    if (entry.kind === 'lost') continue;
    const name = PHASE[entry.kind];
    const to = entry.at_ms + entry.ms;
    const last = phases.at(-1);
    if (last?.name === name && name === 'tokens') last.to = Math.max(last.to, to);
    else phases.push({ name, from: entry.at_ms, to });
  }
  return phases;
}

const PHASE = {
  opened: 'opening',
  prefill: 'prefill',
  token: 'tokens',
  recovered: 'pause',
} as const satisfies Record<Exclude<Entry['kind'], 'lost'>, PhaseName>;

function ends(trace: readonly Entry[]): number[] {
  return trace.map((entry) => entry.at_ms + ('ms' in entry ? entry.ms : 0));
}

/** A row of the table: one entry, or several tokens in a row with their sums. */
export interface Row {
  at: number;
  ms: number;
  /** Milliseconds of each lane; empty where nothing was computed. */
  lanes: number[];
  what:
    | { kind: 'tokens'; from: number; to: number }
    | { kind: 'entry'; entry: Exclude<Entry, { kind: 'token' }> };
}

/** Rows that a person can read; more tokens share one. */
const MOST_ROWS = 60;

export function rowsOf({ trace }: Happened, { lanes, tokens }: Timeline): Row[] {
  const together = Math.ceil(tokens / MOST_ROWS);
  const rows: Row[] = [];
  let token = 0;
  for (const entry of trace) {
    const ms = 'ms' in entry ? entry.ms : 0;
    const parts = isStep(entry) ? lanes.map(({ who }) => msOf(entry, who)) : [];
    // The first token comes out of the prefill.
    if (isStep(entry)) token++;
    if (entry.kind !== 'token') {
      rows.push({ at: entry.at_ms, ms, lanes: parts, what: { kind: 'entry', entry } });
      continue;
    }
    const last = rows.at(-1);
    if (last?.what.kind === 'tokens' && last.what.to - last.what.from + 1 < together) {
      last.what.to = token;
      last.ms += ms;
      last.lanes = last.lanes.map((sum, i) => sum + parts[i]!);
    } else {
      rows.push({ at: entry.at_ms, ms, lanes: parts, what: { kind: 'tokens', from: token, to: token } });
    }
  }
  return rows;
}
