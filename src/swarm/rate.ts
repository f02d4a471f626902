import type { Clock } from './types.ts';

/** A bucket of permits that fills at a steady rate. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #permits: number;
  #at: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#permits = burst;
    this.#at = clock.now();
  }

  /** @returns false when none is left */
  take(): boolean {
    const now = this.#clock.now();
    this.#permits = Math.min(this.#burst, this.#permits + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#permits < 1) return false;
    this.#permits--;
    return true;
  }
}
