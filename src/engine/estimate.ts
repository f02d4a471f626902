import type { Manifest, Slice } from '../model/index.ts';
import { partsOf, weightsOf } from './create.ts';
import { DEFAULT_MAX_TOKENS, requestOf } from './load.ts';
import { nodeForm } from './node-form.ts';
import type { Backend, LoadOptions } from './types.ts';

export interface MemoryEstimate {
  /** Bytes, as `EngineInfo.weightBytes` will tell them. */
  weightBytes: number;
  /** Bytes, as `EngineInfo.kvBytesPerToken`. */
  kvBytesPerToken: number;
  /** Most tokens of a session, as `EngineInfo.maxTokens`. */
  maxTokens: number;
}

/**
 * What a slice will take on one of Node's back ends, before a weight is read: the graph is laid out and thrown away,
 * which takes milliseconds.
 * @throws EngineError `bad-input` when a tensor is missing
 */
export function estimateMemory(
  manifest: Manifest,
  slice: Slice,
  backend: Backend,
  options: Pick<LoadOptions, 'arithmetic' | 'precision' | 'memoryLimit' | 'maxTokens'> = {},
): MemoryEstimate {
  const { config } = manifest;
  const maxTokens = Math.min(options.maxTokens ?? DEFAULT_MAX_TOKENS, config.contextLength);
  const plan = { ...nodeForm(backend, requestOf(manifest, slice, options)), gpu: backend !== 'node-cpu' };
  const width = plan.precision === 'float16' ? 2 : 4;
  return {
    weightBytes: weightsOf(manifest, slice, partsOf(manifest, slice, plan), plan.form, maxTokens),
    kvBytesPerToken: 2 * (slice.end - slice.start) * config.kvHeads * config.headSize * width,
    maxTokens,
  };
}
