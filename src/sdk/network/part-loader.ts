import type { Engine, LoadProgress } from '../../engine/index.ts';
import type { Part } from '../../wire/index.ts';
import type { Library } from '../library.ts';
import type { Platform } from '../platform.ts';
import type { ModelEntry, ShoalOptions } from '../types.ts';
import type { Progress } from './types.ts';

export interface PartOptions {
  /** Bytes that weights and caches may take. */
  memory: number;
  measure: boolean;
  signal: AbortSignal;
  report: (progress: Progress) => void;
}

/** Fetches the tensors of a part that are not here, and starts an engine for it. */
export type PartLoader = (entry: ModelEntry, part: Part, options: PartOptions) => Promise<Engine>;

/** Every part of a chain computes exactly, whatever this tab does for itself, so that the text is one machine's. */
export function partLoader(
  platform: Platform,
  library: Library,
  { backends, threads, maxTokens }: ShoalOptions,
): PartLoader {
  return async (entry, part, { memory, measure, signal, report }) => {
    let fetching: Progress = { detail: `Fetching ${entry.name}`, done: 0, total: 0 };
    const { manifest, weights } = await library.bringSlices(
      entry,
      () => [part],
      ({ detail, done, total }) => {
        fetching = {
          detail: detail ?? fetching.detail,
          done: done ?? fetching.done,
          total: total ?? fetching.total,
        };
        report(fetching);
      },
      signal,
    );
    return platform.loadEngine({
      manifest,
      slice: part,
      weights,
      backends,
      threads,
      maxTokens,
      arithmetic: 'exact',
      precision: 'float32',
      memoryLimit: memory,
      measure,
      onProgress: (progress) => report(loadProgress(progress)),
      signal,
    });
  };
}

function loadProgress({ stage, done, total }: LoadProgress): Progress {
  const detail = {
    reading: 'Reading and checking the weights',
    compiling: 'Preparing the layers',
    testing: 'Checking that this device computes right',
    measuring: 'Measuring the speed',
  }[stage];
  return stage === 'reading' ? { detail, done, total } : { detail, done: 0, total: 0 };
}
