import type { Happened } from '../chat/types.ts';
import { isStep } from './timeline.ts';

export type Part = 'opening' | 'own' | 'hops' | 'wire' | 'pause' | 'rest';

export interface Summary {
  /** What took longest, and its share of the turn in whole percent. Null without steps. */
  most: { part: Part; percent: number } | null;
  /** The hop that computed longest per token, where there are several. */
  slowest: { hop: number; ms: number } | null;
}

/** Where the time of a turn went. */
export function summaryOf({ trace }: Happened): Summary {
  const sums: Record<Part, number> = { opening: 0, own: 0, hops: 0, wire: 0, pause: 0, rest: 0 };
  const hops: number[] = [];
  let tokens = 0;
  let end = 0;
  for (const entry of trace) {
    end = Math.max(end, entry.at_ms + ('ms' in entry ? entry.ms : 0));
    if (entry.kind === 'opened') sums.opening += entry.ms;
    else if (entry.kind === 'recovered') sums.pause += entry.ms;
    else if (isStep(entry)) {
      sums.own += entry.own_ms;
      sums.wire += entry.wire_ms;
      for (const ms of entry.hops_ms) sums.hops += ms;
      if (entry.kind !== 'token') continue;
      tokens++;
      for (const [i, ms] of entry.hops_ms.entries()) hops[i] = (hops[i] ?? 0) + ms;
    }
  }
  // A pause is part of the step that it interrupts, which counts it as the way.
  sums.wire = Math.max(0, sums.wire - sums.pause);
  const known = sums.opening + sums.own + sums.hops + sums.wire + sums.pause;
  sums.rest = Math.max(0, end - known);
  const all = known + sums.rest;
  const [part, ms] = (Object.entries(sums) as [Part, number][]).reduce((a, b) => (b[1] > a[1] ? b : a));
  const slowest = hops.reduce((best, sum, i) => (sum > (hops[best] ?? -1) ? i : best), 0);
  return {
    most: all > 0 && trace.some(isStep) ? { part, percent: Math.round((100 * ms) / all) } : null,
    slowest: hops.length > 1 && tokens > 0 ? { hop: slowest, ms: hops[slowest]! / tokens } : null,
  };
}
