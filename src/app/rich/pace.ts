/** Parsing takes at most one part in so many of the time. */
const SHARE = 12;
/** Milliseconds: longer, and what is written seems to have stopped. */
const LONGEST_WAIT = 1_000;

/**
 * How often the growing end of an answer is parsed anew: the longer it takes, the seldomer, so that a long list or
 * table costs the same share of the time as a short one. Times are milliseconds of one clock.
 */
export class Pace {
  #at = Number.NEGATIVE_INFINITY;
  #cost = 0;

  /** Milliseconds until it may be parsed again; 0 for now. */
  wait(now: number): number {
    return Math.max(0, this.#at + Math.min(LONGEST_WAIT, SHARE * this.#cost) - now);
  }

  parsed(now: number, cost: number): void {
    this.#at = now;
    this.#cost = cost;
  }
}
