import { aborted, ShoalError } from './errors.ts';

/** Calls that may wait: a page has one user, so more than this is a loop gone wrong. */
export const MOST_WAITING = 64;

/** As many callers at a time as there are places; the others in order. */
export class Queue {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places = 1) {
    this.#free = places;
  }

  /**
   * Waits for its turn. @returns a function that lets the next one in; calling it again does nothing
   * @throws ShoalError `aborted` when the signal fires first, `bad-request` when too many wait
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) throw aborted(signal.reason);
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }

  #wait(signal?: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new ShoalError(
        'bad-request',
        `${MOST_WAITING} calls already wait. Await the earlier ones first.`,
      );
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(aborted(signal?.reason));
      };
      this.#waiting.push(enter);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }
}

/** The promise, or a ShoalError `aborted` as soon as the signal fires. The work itself is not stopped. */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) {
    // Nobody waits for it any more, so its failure is nobody's.
    promise.catch(() => {});
    return Promise.reject(aborted(signal.reason));
  }
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
