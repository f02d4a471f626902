/** Waits for what `begin` starts to call `done`; it gives back what ends it. Rejects when the signal says stop. */
export async function until(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  let end = () => {};
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      end = begin(resolve);
      if (signal.aborted) abort();
    });
  } finally {
    end();
    signal.removeEventListener('abort', abort);
  }
}

/** The promise, or a rejection as soon as the signal says stop; what it waited for goes on. */
export function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
