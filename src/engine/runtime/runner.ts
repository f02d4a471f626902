import type { ModelConfig, Slice } from '../../model/index.ts';
import type { Precision } from '../types.ts';

/** What a runner needs to know of the graph it runs. */
export interface RunnerShape {
  config: ModelConfig;
  slice: Slice;
  precision: Precision;
}

/** The KV cache of one session. A rewind is a smaller length: nothing is copied. */
export interface KvCache {
  /** Positions held. */
  readonly length: number;
  /** Bytes allocated now. */
  readonly bytes: number;
  truncate(length: number): void;
  dispose(): void;
}

/** Runs one graph over the caches of sessions. Calls must not overlap. */
export interface SliceRunner<Cache extends KvCache = KvCache> {
  newCache(): Cache;
  /**
   * Appends `steps` positions to each cache; more than one step only to a single cache.
   * @param hidden [caches × steps, width], row-major
   * @param rows which of those rows the head computes
   * @returns [caches × steps, width], or [rows, vocabulary] from a slice with the head
   */
  run(
    caches: readonly Cache[],
    hidden: Float32Array,
    steps: number,
    rows: readonly number[],
  ): Promise<Float32Array>;
  /** Whether several caches can take part in one run. */
  readonly batches: boolean;
  dispose(): Promise<void>;
}
