/** The outcome of the work, or the first signal's reason. The work itself goes on. */
export function until<T>(work: Promise<T>, ...signals: (AbortSignal | undefined)[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stops = signals.flatMap((signal) =>
      signal
        ? onAbort(signal, () => {
            for (const stop of stops) stop();
            reject(signal.reason);
          })
        : [],
    );
    work.then(resolve, reject).finally(() => {
      for (const stop of stops) stop();
    });
  });
}

/**
 * Callbacks of each signal, behind one listener: dozens of frames may wait under the same signal, and Node warns of a
 * leak from the eleventh listener on.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** @returns a function that takes it back */
function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) {
    queueMicrotask(run);
    return () => {};
  }
  let runs = waiting.get(signal);
  if (!runs) {
    const all = new Set<() => void>();
    runs = all;
    waiting.set(signal, all);
    signal.addEventListener('abort', () => {
      for (const one of [...all]) one();
    });
  }
  runs.add(run);
  return () => runs.delete(run);
}
