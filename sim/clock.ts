import type { Clock } from '../src/swarm/index.ts';
import type { Actor, Scheduler } from './scheduler.ts';

interface Timer {
  /** By this clock, not by the world's. */
  due: number;
  run: () => void;
  cancel: () => void;
}

/** The clock of one peer: the world's time, and what jumps have added to it. */
export class SimClock implements Clock {
  readonly #timers = new Set<Timer>();
  #ahead: number;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly actor: Actor,
    ahead = 0,
  ) {
    this.#ahead = ahead;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.scheduler.now + this.#ahead;
  }

  after(ms: number, run: () => void): () => void {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`a timer of ${ms} ms`);
    const timer: Timer = { due: this.now() + ms, run, cancel: () => undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      this.#timers.delete(timer);
      timer.cancel();
    };
  }

  /** The machine slept: time goes on by `ms` at once, and every timer that was due meanwhile fires now. */
  jump(ms: number): void {
    this.#ahead += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.due - b.due)) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    timer.cancel = this.scheduler.after(Math.max(0, timer.due - this.now()), this.actor, 'timer', () => {
      this.#timers.delete(timer);
      timer.run();
    });
  }
}
