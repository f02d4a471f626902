import type { Calls } from './calls.ts';

export interface SettleOptions {
  /** Milliseconds. */
  patience: number;
  /** What else has to end first. Its failure counts as its end. */
  until?: Promise<unknown>;
  /** How many requests are left: at once, then every second in which that changes. */
  onProgress?: (remaining: number) => void;
  /** Ends the waiting at once. */
  signal?: AbortSignal;
  /** What is waited for; `work` leaves out who watches health and status. */
  which?: 'work' | 'all';
}

/** Often enough for a log, and no more. */
const PROGRESS_MS = 1000;

/** Waits for the requests that are under way. @returns false when the patience was over first */
export function settle(calls: Calls, options: SettleOptions): Promise<boolean> {
  const { patience, until, onProgress, signal, which = 'work' } = options;
  return new Promise((resolve) => {
    let othersDone = until === undefined;
    let told = -1;
    const end = (inTime: boolean) => {
      clearTimeout(late);
      clearInterval(progress);
      unsubscribe();
      signal?.removeEventListener('abort', hurry);
      resolve(inTime);
    };
    const check = () => {
      if (othersDone && calls[which] === 0) end(true);
    };
    const tell = () => {
      if (calls[which] !== told) onProgress?.(calls[which]);
      told = calls[which];
    };
    const othersEnded = () => {
      othersDone = true;
      check();
    };
    const hurry = () => end(false);
    const late = setTimeout(hurry, patience);
    const progress = setInterval(tell, PROGRESS_MS);
    const unsubscribe = calls.onEnd(check);
    signal?.addEventListener('abort', hurry, { once: true });
    tell();
    until?.then(othersEnded, othersEnded);
    check();
    if (signal?.aborted) hurry();
  });
}
