import type { Clock } from '../swarm/index.ts';

/** Milliseconds of one rest at most: whoever waits for a token sees a pause, not an end. */
const LONGEST_REST_MS = 2_000;

/**
 * The rests between runs that keep an engine at a part of its time: after a run of c milliseconds at power p it rests
 * for c (1/p - 1). A timer of a hidden tab fires up to a second late; what it was late counts as rest already taken, so
 * that the average stays.
 */
export class Rest {
  #until = Number.NEGATIVE_INFINITY;
  #credit = 0;

  /** @param power above 0 to 1; asked after each run */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly power: () => number,
  ) {}

  /** Milliseconds until the next run may begin. */
  get left(): number {
    return Math.max(0, this.#until - this.clock.now());
  }

  /** A run took so long. */
  ran(ms: number): void {
    const power = this.power();
    if (!(power > 0 && power < 1)) return;
    const owed = ms * (1 / power - 1);
    const taken = Math.min(this.#credit, owed);
    this.#credit -= taken;
    const now = this.clock.now();
    this.#until = Math.min(now + LONGEST_REST_MS, Math.max(now, this.#until) + owed - taken);
  }

  /** A timer that was set for the end of the rest has fired. */
  over(): void {
    const now = this.clock.now();
    if (now < this.#until || this.#until === Number.NEGATIVE_INFINITY) return;
    this.#credit = Math.min(LONGEST_REST_MS, this.#credit + now - this.#until);
    // Another scheduler of the same slice does not count it again.
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
