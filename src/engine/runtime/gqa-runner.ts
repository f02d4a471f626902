import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { bitsTensor, floatsOf, floatTensor, int64Tensor, newBits, type OnnxRuntime } from './float-tensor.ts';
import type { KvCache, RunnerShape, SliceRunner } from './runner.ts';

/** K and V alternately, layer by layer, as the graph's inputs `past_*` and outputs `present_*` take them. */
export interface GqaCache extends KvCache {
  /** Makes room; after it, `tensors` hold at least `positions` rows or grow by themselves. */
  reserve(positions: number): Promise<void>;
  tensors: Tensor[];
  length: number;
  /** Whether the graph writes into `tensors` (bound as outputs) or returns new ones. */
  readonly inPlace: boolean;
}

/** Runs graphs written with GroupQueryAttention, one session at a time. */
export class GqaRunner implements SliceRunner<GqaCache> {
  readonly batches = false;

  constructor(
    private readonly ort: OnnxRuntime,
    private readonly session: InferenceSession,
    private readonly shape: RunnerShape,
    private readonly makeCache: () => GqaCache,
  ) {}

  newCache(): GqaCache {
    return this.makeCache();
  }

  async run(
    caches: readonly GqaCache[],
    hidden: Float32Array,
    steps: number,
    rows: readonly number[],
  ): Promise<Float32Array> {
    const { ort, shape } = this;
    const { config, slice, precision } = shape;
    const cache = caches[0]!;
    const output = slice.head ? 'logits' : 'hidden_out';
    const feeds: Record<string, Tensor> = {
      hidden: floatTensor(ort, precision, hidden, [steps, config.width]),
    };
    const fetches: Record<string, Tensor | null> = { [output]: null };
    if (slice.head) feeds.rows = int64Tensor(ort, rows, [rows.length]);
    const names = cacheNames(slice.start, slice.end);
    if (names.length > 0) {
      const total = cache.length + steps;
      await cache.reserve(total);
      feeds.seqlens_k = new ort.Tensor('int32', Int32Array.of(total - 1), [1]);
      feeds.total_positions = new ort.Tensor('int32', Int32Array.of(total), []);
      feeds.shape_batch = int64Tensor(ort, [1, steps, -1], [3]);
      names.forEach((name, index) => {
        feeds[`past_${name}`] = cache.tensors[index]!;
        fetches[`present_${name}`] = cache.inPlace ? cache.tensors[index]! : null;
      });
    }
    const results = await this.session.run(feeds, fetches);
    if (!cache.inPlace) cache.tensors = names.map((name) => results[`present_${name}`] as Tensor);
    cache.length += steps;
    return floatsOf(results[output] as Tensor);
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

function cacheNames(start: number, end: number): string[] {
  return Array.from({ length: end - start }, (_, layer) => [
    `k.${start + layer}`,
    `v.${start + layer}`,
  ]).flat();
}

/** A cache in CPU memory that the graph returns anew, longer, at every step. For float16 graphs on the CPU. */
export class ReturnedCache implements GqaCache {
  readonly inPlace = false;
  length = 0;
  tensors: Tensor[];

  constructor(
    private readonly ort: OnnxRuntime,
    private readonly shape: RunnerShape,
  ) {
    this.tensors = this.empty();
  }

  get bytes(): number {
    const width = this.shape.precision === 'float16' ? 2 : 4;
    return this.tensors.reduce((sum, tensor) => sum + tensor.size * width, 0);
  }

  async reserve(): Promise<void> {}

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
    if (this.length === 0) this.tensors = this.empty();
  }

  dispose(): void {
    this.truncate(0);
  }

  private empty(): Tensor[] {
    const { config, slice, precision } = this.shape;
    return Array.from({ length: 2 * (slice.end - slice.start) }, () =>
      bitsTensor(this.ort, newBits(precision, 0), [1, config.kvHeads, 0, config.headSize]),
    );
  }
}
