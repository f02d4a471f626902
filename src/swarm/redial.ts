import { REDIAL_FIRST_MS, REDIAL_LONGEST_MS } from './limits.ts';
import type { RelayState } from './swarm.ts';

export interface RedialOptions {
  /**
   * Connects, calls `up`, and resolves when the connection is over; rejects when there was none. The signal aborts when
   * the loop is stopped.
   */
  attempt: (up: () => void, signal: AbortSignal) => Promise<void>;
  changed: () => void;
}

/** Connects again and again, for ever, with growing waits. */
export class Redial {
  /** Why it is not connected now; null while it is. */
  reason: string | null = null;
  #state: RelayState = 'connecting';
  readonly #options: RedialOptions;
  readonly #over = new AbortController();
  #wake = () => {};

  constructor(options: RedialOptions) {
    this.#options = options;
  }

  get state(): RelayState {
    return this.#state;
  }

  start(): void {
    void this.#run();
  }

  /** Dials now instead of waiting: the machine is online again. */
  kick(): void {
    this.#wake();
  }

  stop(): void {
    this.#over.abort(new Error('The network is closed.'));
    this.#wake();
  }

  async #run(): Promise<void> {
    let wait = REDIAL_FIRST_MS;
    const { signal } = this.#over;
    while (!signal.aborted) {
      let upSince = Number.POSITIVE_INFINITY;
      const up = () => {
        upSince = Math.min(upSince, performance.now());
        this.reason = null;
        this.#become('connected');
      };
      try {
        await this.#options.attempt(up, signal);
        this.reason = 'The connection closed.';
        this.#become('connecting');
      } catch (error) {
        // Told by the state; it is tried again.
        this.reason = error instanceof Error ? error.message : 'It cannot be reached.';
        this.#become('gone');
      }
      if (signal.aborted) return;
      // One that breaks at once each time must not be dialled four times a second.
      if (performance.now() - upSince > REDIAL_LONGEST_MS) wait = REDIAL_FIRST_MS;
      await this.#pause(wait * (0.8 + 0.4 * Math.random()));
      wait = Math.min(REDIAL_LONGEST_MS, wait * 1.5);
    }
  }

  #become(state: RelayState): void {
    if (this.#state === state || this.#over.signal.aborted) return;
    this.#state = state;
    this.#options.changed();
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
