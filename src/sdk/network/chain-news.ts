import type { ChainEvent } from '../../chain/index.ts';
import type { Trace } from '../trace.ts';

/** Losses remembered between two turns: more say nothing new. */
const MOST_MISSED = 16;

/** What becomes of a chain's hops, for the answer that runs on it; what happens between two answers is the next one's. */
export class ChainNews {
  #trace: Trace | null = null;
  #missed: ChainEvent[] = [];

  take(event: ChainEvent): void {
    if (event.type === 'planned') return;
    if (this.#trace) tell(this.#trace, event);
    else if (this.#missed.length < MOST_MISSED) this.#missed.push(event);
  }

  follow(trace: Trace): void {
    this.#trace = trace;
    for (const event of this.#missed.splice(0)) tell(trace, event);
  }

  leave(): void {
    this.#trace = null;
  }
}

function tell(trace: Trace, event: ChainEvent): void {
  if (event.type === 'lost') {
    const { peer, start, end, reason } = event;
    trace.lost({ peer, start, end, reason });
  } else if (event.type === 'recovered') {
    const { pauseMs: ms, replayed, hops } = event;
    trace.recovered({ ms, replayed, peers: hops.map(({ peer }) => peer) });
  }
}
