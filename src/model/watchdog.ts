import { aborted, throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';

/** Ends a transfer when the caller aborts or when nothing moves for the time last given. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #forward = () => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #expired: number | null = null;

  /** @param what names the other side in messages */
  constructor(
    readonly what: string,
    caller?: AbortSignal,
  ) {
    throwIfAborted(caller);
    this.#caller = caller;
    caller?.addEventListener('abort', this.#forward);
  }

  /** For the call that is watched. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something moved; the next sign of life is due in `ms` milliseconds. */
  touch(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#expired = ms;
      this.#controller.abort();
    }, ms);
  }

  /** Stops watching and frees what is still open. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#forward);
    this.#controller.abort();
  }

  /** Why the watched call failed: `aborted`, `stalled`, or else `otherwise`. */
  explain(otherwise: ModelError): ModelError {
    if (this.#caller?.aborted) return aborted(this.#caller);
    if (this.#expired === null) return otherwise;
    return new ModelError(
      'stalled',
      `${this.what} sent nothing for ${Math.round(this.#expired / 100) / 10} s. Try again, or use another source.`,
    );
  }
}
