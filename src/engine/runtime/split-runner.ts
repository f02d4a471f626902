import type { InferenceSession, Tensor } from 'onnxruntime-common';
import {
  bitsOf,
  bitsTensor,
  type FloatBits,
  floatsOf,
  floatTensor,
  int64Tensor,
  newBits,
  type OnnxRuntime,
} from './float-tensor.ts';
import type { RunnerShape, SliceRunner } from './runner.ts';
import { BatchCache, SplitCache } from './split-cache.ts';

/** Runs graphs written with split attention (see `graph/form.ts`): the caches live here and enter as views. */
export class SplitRunner implements SliceRunner<SplitCache> {
  readonly batches = true;
  private batch: BatchCache | null = null;

  constructor(
    private readonly ort: OnnxRuntime,
    private readonly session: InferenceSession,
    private readonly shape: RunnerShape,
  ) {}

  private get layers(): number {
    return this.shape.slice.end - this.shape.slice.start;
  }

  newCache(): SplitCache {
    const { kvHeads, headSize } = this.shape.config;
    return new SplitCache(this.layers, kvHeads * headSize, this.allocate);
  }

  async run(
    caches: readonly SplitCache[],
    hidden: Float32Array,
    steps: number,
    rows: readonly number[],
  ): Promise<Float32Array> {
    const { ort, shape } = this;
    const { config, slice, precision } = shape;
    const feeds: Record<string, Tensor> = {
      hidden: floatTensor(ort, precision, hidden, [caches.length * steps, config.width]),
    };
    if (slice.head) feeds.rows = int64Tensor(ort, rows, [rows.length]);
    if (this.layers > 0) this.feedAttention(feeds, caches, steps);
    const results = await this.session.run(feeds);
    if (this.layers > 0) this.append(caches, bitsOf(results.present as Tensor), steps);
    for (const cache of caches) cache.length += steps;
    if (caches.length > 1) this.batch?.advance();
    else {
      const [cache] = caches;
      cache!.generation++;
      // What the joined copy held of this session is stale: nobody will read it again.
      if (this.batch?.members.includes(cache!)) this.batch = null;
    }
    return floatsOf((slice.head ? results.logits : results.hidden_out) as Tensor);
  }

  async dispose(): Promise<void> {
    this.batch = null;
    await this.session.release();
  }

  private readonly allocate = (length: number): FloatBits => newBits(this.shape.precision, length);

  private feedAttention(feeds: Record<string, Tensor>, caches: readonly SplitCache[], steps: number): void {
    const { ort, shape } = this;
    const { kvHeads, heads, headSize } = shape.config;
    const repeat = heads / kvHeads;
    const groups = caches.length * kvHeads;
    const held = Math.max(...caches.map((cache) => cache.length));
    // An empty dimension divides by zero inside onnxruntime: an empty cache is one masked row.
    const past = Math.max(1, held);
    const all = past + steps;
    const int64 = (values: readonly number[]) => int64Tensor(ort, values, [values.length]);

    feeds.positions = int64Tensor(ort, positionsOf(caches, steps), [1, caches.length * steps]);
    feeds.mask = this.mask(caches, steps, past);
    feeds.shape_q = int64([steps, groups, repeat, headSize]);
    feeds.shape_kv = int64([steps, groups, headSize]);
    feeds.shape_scores = int64([groups, steps, repeat, all]);
    feeds.shape_weights = int64([groups, steps * repeat, all]);
    feeds.shape_mixed = int64([groups, steps, repeat, headSize]);
    feeds.split_positions = int64([past, steps]);

    for (const cache of caches) cache.reserve(Math.max(1, cache.length + steps));
    let arrays = caches[0]!.arrays;
    if (caches.length > 1) {
      if (!this.batch?.follows(caches)) this.batch = new BatchCache(caches, this.allocate);
      arrays = this.batch.arrays;
    }
    const view = (array: FloatBits) =>
      bitsTensor(ort, array.subarray(0, past * groups * headSize), [past, groups, headSize]);
    for (let layer = 0; layer < this.layers; layer++) {
      feeds[`past_k.${shape.slice.start + layer}`] = view(arrays[2 * layer]!);
      feeds[`past_v.${shape.slice.start + layer}`] = view(arrays[2 * layer + 1]!);
    }
  }

  /** 0 where a new position may look, -infinity where not: later positions, and rows beyond a session's own. */
  private mask(caches: readonly SplitCache[], steps: number, past: number): Tensor {
    const { ort, shape } = this;
    const { kvHeads } = shape.config;
    const { precision } = shape;
    const all = past + steps;
    const single = caches.length === 1;
    if (single && steps === 1 && caches[0]!.length > 0)
      return floatTensor(ort, precision, new Float32Array(1), [1, 1, 1, 1]);
    const maskGroups = single ? 1 : caches.length * kvHeads;
    const values = new Float32Array(maskGroups * steps * all);
    caches.forEach((cache, at) => {
      for (let head = 0; head < (single ? 1 : kvHeads); head++)
        for (let step = 0; step < steps; step++) {
          const row = ((at * (single ? 1 : kvHeads) + head) * steps + step) * all;
          values.fill(Number.NEGATIVE_INFINITY, row + cache.length, row + past);
          values.fill(Number.NEGATIVE_INFINITY, row + past + step + 1, row + all);
        }
    });
    return floatTensor(ort, precision, values, [maskGroups, steps, 1, all]);
  }

  /** `present`: [steps, 2 × layers × groups, headSize] */
  private append(caches: readonly SplitCache[], present: FloatBits, steps: number): void {
    const { row } = caches[0]!;
    const perStep = caches[0]!.arrays.length * caches.length * row;
    for (let step = 0; step < steps; step++)
      for (let index = 0; index < caches[0]!.arrays.length; index++)
        caches.forEach((cache, at) => {
          const from = step * perStep + (index * caches.length + at) * row;
          const values = present.subarray(from, from + row);
          cache.arrays[index]!.set(values, (cache.length + step) * row);
          if (caches.length > 1) this.batch!.append(at, index, values);
        });
  }
}

function positionsOf(caches: readonly SplitCache[], steps: number): number[] {
  return caches.flatMap((cache) => Array.from({ length: steps }, (_, step) => cache.length + step));
}
