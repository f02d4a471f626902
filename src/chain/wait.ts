import type { Clock } from '../swarm/index.ts';
import { ChainError } from './types.ts';

/** Why a signal was aborted, as an error of this room. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof ChainError ? signal.reason : new ChainError('aborted', 'Stopped.');
}

const waitingFor = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs something when a signal is aborted, at once if it is already. One listener per signal, however many wait: a search
 * waits for dozens of peers at once, and Node takes more than ten listeners for a leak.
 * @returns a function that ends it
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) {
    run();
    return () => undefined;
  }
  let waiting = waitingFor.get(signal);
  if (!waiting) {
    const all = new Set<() => void>();
    waiting = all;
    waitingFor.set(signal, all);
    signal.addEventListener(
      'abort',
      () => {
        waitingFor.delete(signal);
        for (const one of [...all]) one();
      },
      { once: true },
    );
  }
  const all = waiting;
  all.add(run);
  return () => all.delete(run);
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal);
}

/**
 * The promise, unless the signal is aborted first: some engines and transports notice a signal late or never.
 * @throws the abort reason as ChainError
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = onAbort(signal, () => reject(abortReason(signal)));
    promise.then(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
}

/**
 * Runs something that must be over in `ms` milliseconds; its signal is aborted at the end in any case.
 * @throws ChainError `deadline` with `late` as its message, or the abort reason
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  late: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const stop = new AbortController();
  const done = onAbort(signal, () => stop.abort(abortReason(signal)));
  const cancel = clock.after(Math.max(0, ms), () => stop.abort(new ChainError('deadline', late)));
  try {
    return await abortable(run(stop.signal), stop.signal);
  } finally {
    cancel();
    done();
    // What still runs for nobody is told.
    stop.abort();
  }
}

/** @throws the abort reason */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const cancel = clock.after(Math.max(0, ms), () => {
      done();
      resolve();
    });
    const done = onAbort(signal, () => {
      cancel();
      reject(abortReason(signal));
    });
  });
}

/** Something that happens again and again. Whoever waits looks again at what they waited for. */
export class Bell {
  #waiting = new Set<() => void>();

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** The next ring. @throws the abort reason */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        done();
        resolve();
      };
      this.#waiting.add(wake);
      const done = onAbort(signal, () => {
        this.#waiting.delete(wake);
        reject(abortReason(signal));
      });
    });
  }
}
