import { useEffect, useSyncExternalStore } from 'react';

/** Milliseconds after which code that did not arrive is asked for again, when it is wanted again. */
const AGAIN_MS = 5_000;

/** A part of the page that arrives when it is first wanted. What needs it does without until then. */
export class Late<T> {
  #value: T | null = null;
  #asked = Number.NEGATIVE_INFINITY;
  #loading = false;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly load: () => Promise<T>) {}

  get = (): T | null => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Fetches it, unless it is here or on its way. A failure is no error: the page stays plain. */
  want = (): void => {
    if (this.#value !== null || this.#loading || performance.now() - this.#asked < AGAIN_MS) return;
    this.#loading = true;
    this.#asked = performance.now();
    this.load().then(
      (value) => {
        this.#value = value;
        for (const listener of this.#listeners) listener();
      },
      () => {
        this.#loading = false;
      },
    );
  };
}

/** The part, or null while it is not here; asks for it. */
export function useLate<T>(late: Late<T>): T | null {
  const value = useSyncExternalStore(late.subscribe, late.get, late.get);
  useEffect(late.want);
  return value;
}

/** Calls `work` when the browser has nothing better to do. @returns a function that calls it off */
export function whenIdle(work: () => void, longest = 2_000): () => void {
  // Safari has no idle callbacks.
  if (typeof requestIdleCallback !== 'function') {
    const timer = setTimeout(work, 200);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: longest });
  return () => cancelIdleCallback(handle);
}
