import { aborted, ShoalError } from './errors.ts';

/** Calls that may wait: a page has one user, so more than this is a loop gone wrong. */
export const MOST_WAITING = 64;

/** One caller at a time, in order. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  /**
   * Waits for its turn. @returns a function that lets the next one in
   * @throws ShoalError `aborted` when the signal fires first, `bad-request` when too many wait
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) throw aborted(signal.reason);
    if (this.#waiting >= MOST_WAITING) {
      throw new ShoalError(
        'bad-request',
        `${MOST_WAITING} calls already wait. Await the earlier ones first.`,
      );
    }
    const before = this.#tail;
    let leave = () => {};
    this.#tail = new Promise((resolve) => {
      leave = resolve;
    });
    this.#waiting++;
    try {
      await abortable(before, signal);
    } catch (error) {
      // Whoever waits behind must still wait for the one in front.
      before.then(leave);
      throw error;
    } finally {
      this.#waiting--;
    }
    return leave;
  }
}

/** The promise, or a ShoalError `aborted` as soon as the signal fires. The work itself is not stopped. */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) return Promise.reject(aborted(signal.reason));
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
