import { type HostStatus, newCounters } from '../../host/index.ts';
import type { LayerRange } from '../../swarm/index.ts';
import type { Sharing } from './types.ts';

/** A share that has just begun. */
export const NOTHING: Sharing = {
  state: 'preparing',
  power: 'full',
  memoryBytes: 0,
  cid: '',
  model: '',
  start: 0,
  end: 0,
  backend: null,
  progress: null,
  error: null,
  sessions: 0,
  servedTokens: 0,
  servedPositions: 0,
  counters: newCounters(),
};

/** What the host's status changes in what is shown of a slice; null when nothing. */
export function countsOf(
  { slices, serving, counters }: HostStatus,
  { cid, start, end }: LayerRange & { cid: string },
  shown: Sharing | null,
): Partial<Sharing> | null {
  const slice = slices.find((held) => held.cid === cid && held.start === start && held.end === end);
  const backend = slice?.engine.backend ?? shown?.backend ?? null;
  const names = Object.keys(counters) as (keyof typeof counters)[];
  const same =
    shown?.backend === backend &&
    shown.sessions === serving &&
    names.every((name) => counters[name] === shown.counters[name]);
  if (same) return null;
  return {
    backend,
    sessions: serving,
    servedTokens: counters.tokensServed,
    servedPositions: counters.positionsServed,
    counters,
  };
}
