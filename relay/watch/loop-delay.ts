import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../../src/swarm/index.ts';

/** How often a timer is looked at; a delay shorter than this does no harm. Milliseconds. */
const RESOLUTION_MS = 20;
/** Of one interval. Shorter than a scrape (15 s is usual), so that each scrape sees a fresh one. Milliseconds. */
const INTERVAL_MS = 10_000;

export interface LoopDelay {
  /** 99th percentile in seconds; the larger of the interval before and the one that runs. */
  seconds(): number;
  stop(): void;
}

/** Measures how late timers fire: what a long synchronous job costs everybody else. */
export function watchLoopDelay(clock: Clock): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let before = 0;
  // Node counts the time between two looks, the wanted pause included. Before the first look there is no percentile.
  const current = () =>
    histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e9 - RESOLUTION_MS / 1000);
  let cancel = () => {};
  const next = () => {
    cancel = clock.after(INTERVAL_MS, () => {
      before = current();
      histogram.reset();
      next();
    });
  };
  histogram.enable();
  next();
  return {
    seconds: () => Math.max(before, current()),
    stop() {
      cancel();
      histogram.disable();
    },
  };
}
