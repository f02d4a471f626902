import { HostError } from './types.ts';

interface Entry<T> {
  promise: Promise<T>;
  value: T | undefined;
  users: number;
  stop: AbortController;
  /** Rises with every use; the smallest was used longest ago. */
  used: number;
}

/**
 * Things that take long to make and that several sessions use at once: whoever asks while one is being made waits for
 * the same, and the making stops when nobody waits any more.
 */
export class Leases<T> {
  readonly #entries = new Map<string, Entry<T>>();
  #uses = 0;

  /**
   * @param discard takes a thing that nobody uses any more, at once
   * @param keep true: a thing without users stays here until it is removed, and only what was finished after everybody
   *   had left is discarded
   */
  constructor(
    private readonly discard: (value: T) => void,
    private readonly keep: boolean,
  ) {}

  /**
   * @throws HostError `aborted` when the signal fires first; whatever `make` throws. A failure is not kept: the next
   *   one who asks tries anew.
   */
  async take(key: string, make: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw stopped();
    const entry = this.#entries.get(key) ?? this.#make(key, make);
    entry.users++;
    entry.used = ++this.#uses;
    let stop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(stopped());
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([entry.promise, aborted]);
    } catch (error) {
      this.#leave(key, entry);
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  give(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) this.#leave(key, entry);
  }

  /** What is made and has no user, least recently used first. */
  unused(): { key: string; value: T }[] {
    return [...this.#entries]
      .filter(([, entry]) => entry.users === 0 && entry.value !== undefined)
      .sort(([, a], [, b]) => a.used - b.used)
      .map(([key, entry]) => ({ key, value: entry.value! }));
  }

  values(): T[] {
    return [...this.#entries.values()].flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** Stops what is being made and forgets everything. @returns what was made */
  clear(): T[] {
    const values = this.values();
    for (const { stop } of this.#entries.values()) stop.abort();
    this.#entries.clear();
    return values;
  }

  #make(key: string, make: (signal: AbortSignal) => Promise<T>): Entry<T> {
    const stop = new AbortController();
    const entry: Entry<T> = { promise: make(stop.signal), value: undefined, users: 0, stop, used: 0 };
    this.#entries.set(key, entry);
    entry.promise.then(
      (value) => {
        entry.value = value;
        if (this.#entries.get(key) !== entry) this.discard(value);
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }

  #leave(key: string, entry: Entry<T>): void {
    entry.users--;
    if (entry.users > 0 || this.#entries.get(key) !== entry) return;
    if (entry.value !== undefined && this.keep) return;
    // Whoever asks from now on must not get what is stopped or discarded.
    this.#entries.delete(key);
    if (entry.value !== undefined) this.discard(entry.value);
    else entry.stop.abort();
  }
}

function stopped(): HostError {
  return new HostError('aborted', 'Stopped before it was loaded.');
}
