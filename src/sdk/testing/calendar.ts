import { type Clock, systemClock } from '../../swarm/index.ts';

/** From here on a wait is long. Milliseconds. */
const LONG_MS = 60_000;

/** A clock whose long waits pass when a test says so. */
export class Calendar implements Clock {
  #ahead = 0;
  readonly #waiting = new Set<{ at: number; run: () => void }>();

  now = (): number => systemClock.now() + this.#ahead;

  after(ms: number, run: () => void): () => void {
    if (ms < LONG_MS) return systemClock.after(ms, run);
    const entry = { at: this.now() + ms, run };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  pass(ms: number): void {
    this.#ahead += ms;
    for (const entry of [...this.#waiting]) {
      if (entry.at > this.now()) continue;
      this.#waiting.delete(entry);
      entry.run();
    }
  }
}
