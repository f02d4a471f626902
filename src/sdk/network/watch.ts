import { systemClock } from '../../swarm/index.ts';
import type { Observable } from '../types.ts';

/** A value that is asked for again and again, but only while somebody watches. */
export class Watch<T> implements Observable<T> {
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;
  #control: AbortController | null = null;

  /**
   * @param ask never rejects
   * @param everyMs milliseconds between an answer and the next question
   */
  constructor(
    first: T,
    private readonly ask: (signal: AbortSignal) => Promise<T>,
    private readonly everyMs: number,
  ) {
    this.#value = first;
  }

  get = (): T => this.#value;

  subscribe = (listener: (value: T) => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#control) {
      this.#control = new AbortController();
      void this.#poll(this.#control.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  };

  /** A value that was asked for by somebody else. */
  set(value: T): void {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  stop(): void {
    this.#control?.abort();
    this.#control = null;
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const value = await this.ask(signal);
      if (signal.aborted) return;
      this.set(value);
      await new Promise<void>((resolve) => {
        const cancel = systemClock.after(this.everyMs, () => {
          signal.removeEventListener('abort', stop);
          resolve();
        });
        const stop = () => {
          cancel();
          resolve();
        };
        signal.addEventListener('abort', stop, { once: true });
      });
    }
  }
}
