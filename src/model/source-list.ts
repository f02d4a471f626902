import { asModelError, throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import type { ByteSource, Manifest } from './types.ts';
import { requireFiles } from './weights.ts';

/** A model's files in the order of its manifest, or how to open them when their turn comes. */
export type Alternative = readonly ByteSource[] | ((signal?: AbortSignal) => Promise<readonly ByteSource[]>);

/** Failures that another source cannot mend. */
const FINAL = new Set(['aborted', 'no-space']);

/** Sources in order of preference. One that fails is not asked again in this job. */
export class SourceList {
  readonly #manifest: Manifest;
  readonly #alternatives: readonly Alternative[];
  readonly #opened = new Map<number, Promise<readonly ByteSource[]>>();
  #current = 0;
  #failure: ModelError | null = null;

  constructor(manifest: Manifest, alternatives: readonly Alternative[]) {
    this.#manifest = manifest;
    this.#alternatives = alternatives;
  }

  /**
   * Runs `task` with the best source; when it fails, again with the next.
   * @throws ModelError of the last source; `not-found` when there is none
   */
  async use<T>(
    signal: AbortSignal | undefined,
    task: (files: readonly ByteSource[]) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      throwIfAborted(signal);
      const index = this.#current;
      if (index >= this.#alternatives.length)
        throw (
          this.#failure ??
          new ModelError('not-found', `${this.#manifest.name} is not here and no source was given.`)
        );
      try {
        return await task(await this.#open(index, signal));
      } catch (error) {
        const failure = asModelError(
          error,
          'unreachable',
          'A source failed in an unexpected way. Use another one.',
        );
        if (FINAL.has(failure.code)) throw failure;
        this.#failure = failure;
        // Several transfers may fail on the same source: only the first moves on.
        this.#current = Math.max(this.#current, index + 1);
      }
    }
  }

  #open(index: number, signal?: AbortSignal): Promise<readonly ByteSource[]> {
    let files = this.#opened.get(index);
    if (!files) {
      files = this.#openNow(this.#alternatives[index]!, signal);
      this.#opened.set(index, files);
    }
    return files;
  }

  async #openNow(alternative: Alternative, signal?: AbortSignal): Promise<readonly ByteSource[]> {
    const files = typeof alternative === 'function' ? await alternative(signal) : alternative;
    requireFiles(this.#manifest, files);
    return files;
  }
}
