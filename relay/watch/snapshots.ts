import type { Clock } from '../../src/swarm/index.ts';
import type { NetworkState } from './network-state.ts';
import { renderStatus } from './status-page.ts';
import type { Log } from './types.ts';

/** How old what is shown may be. Milliseconds. */
const EVERY_MS = 1_000;

export interface SnapshotsOptions {
  /** Should answer at once; one that does not is waited for, and what was seen last is shown meanwhile. */
  state: () => NetworkState | Promise<NetworkState>;
  clock: Clock;
  log: Log;
  now?: () => Date;
}

/**
 * What the relay shows of itself, made once a second whoever asks: an answer costs a copy of a buffer, and nobody who
 * asks waits for a room that hangs.
 */
export class Snapshots {
  #state: NetworkState | null = null;
  #json: Buffer | null = null;
  #page: Buffer;
  #stillPage: Buffer;
  #pending = false;
  #failing = false;
  #cancel = () => {};
  #stopped = false;
  readonly #listeners = new Set<() => void>();
  readonly #options: SnapshotsOptions;
  readonly #now: () => Date;
  readonly #begun: Date;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#begun = this.#now();
    this.#page = this.#render(true);
    this.#stillPage = this.#render(false);
    this.#tick();
  }

  /** The state seen last; null before the first. */
  state(): NetworkState | null {
    return this.#state;
  }

  json(): Buffer | null {
    return this.#json;
  }

  page(refreshes: boolean): Buffer {
    return refreshes ? this.#page : this.#stillPage;
  }

  /** Called once a second, after the look. */
  onTick(listener: () => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#stopped = true;
    this.#cancel();
    this.#listeners.clear();
  }

  #tick(): void {
    this.#look();
    this.#page = this.#render(true);
    this.#stillPage = this.#render(false);
    for (const listener of this.#listeners) listener();
    this.#cancel = this.#options.clock.after(EVERY_MS, () => this.#tick());
  }

  #look(): void {
    if (this.#pending) return;
    try {
      const seen = this.#options.state();
      if (seen instanceof Promise) this.#await(seen);
      else this.#take(seen);
    } catch (error) {
      this.#fail(error);
    }
  }

  #await(seen: Promise<NetworkState>): void {
    this.#pending = true;
    seen
      .then((state) => this.#take(state))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pending = false;
      });
  }

  #take(state: NetworkState): void {
    if (this.#stopped) return;
    this.#json = Buffer.from(JSON.stringify(state));
    this.#state = state;
    this.#failing = false;
  }

  #fail(error: unknown): void {
    // Said once, not every second.
    if (!this.#failing)
      this.#options.log.error(
        'The state of the network cannot be read; the status page shows what was seen last.',
        {
          reason: error instanceof Error ? error.message : 'unknown',
        },
      );
    this.#failing = true;
  }

  #render(refreshes: boolean): Buffer {
    const now = this.#now();
    return Buffer.from(renderStatus({ state: this.#state, now, begun: this.#begun, refreshes }));
  }
}
