import type * as Onnx from 'onnxruntime-common';
import { type Manifest, type Slice, sliceBytes, sliceTensors, type TensorReader } from '../model/index.ts';
import { buildSliceGraph, type ExternalFile } from './graph/index.ts';
import { type BackendPlan, externalData } from './platform.ts';
import { PartedRunner } from './runtime/parted-runner.ts';
import type { SliceRunner } from './runtime/runner.ts';
import { type EmbeddingTable, SliceEngine } from './slice-engine.ts';
import { type Backend, EngineError, type EngineInfo, type LoadProgress } from './types.ts';

const DEFAULT_MEMORY_LIMIT = 16 * 2 ** 30;

/** One back end cannot run; the next may. */
export class BackendFailure extends Error {}

export interface CreateOptions {
  manifest: Manifest;
  slice: Slice;
  reader: TensorReader;
  maxTokens: number;
  memoryLimit?: number;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

/** Builds the graph of a slice, fills in its weights and starts it on a back end that answered. */
export async function createEngine(
  backend: Backend,
  plan: BackendPlan,
  options: CreateOptions,
  fallbacks: string[],
): Promise<SliceEngine> {
  const { manifest, slice, reader, maxTokens, signal, onProgress } = options;
  const { config } = manifest;
  const parts = partsOf(manifest, slice, plan).map((part) => ({
    part,
    ...buildSliceGraph(manifest, part, { ...plan.form, positions: maxTokens }),
  }));
  const embeddingTensor = slice.embed
    ? manifest.tensors.find((tensor) => tensor.name === 'token_embd.weight')!
    : null;
  const weightBytes = parts.reduce((sum, { data }) => sum + data.bytes, embeddingTensor?.bytes ?? 0);
  const memoryLimit = options.memoryLimit ?? DEFAULT_MEMORY_LIMIT;
  if (weightBytes > memoryLimit)
    throw new EngineError(
      'out-of-memory',
      `these layers take ${Math.round(weightBytes / 1e6)} MB and the limit is ${Math.round(memoryLimit / 1e6)} MB; take fewer layers`,
    );

  const total = sliceBytes(manifest, { ...slice, embed: false });
  let embedding: EmbeddingTable | null = null;
  if (embeddingTensor)
    embedding = { tensor: embeddingTensor, bytes: await reader.read(embeddingTensor.name, signal) };
  const runners: SliceRunner[] = [];
  try {
    let before = 0;
    // The head first: its one matrix needs the most scratch while it starts, and the parts after it use that again.
    for (const { part, model, data } of parts.toReversed()) {
      const done = before;
      const fill = async () => {
        const files = await data.load(
          reader,
          (read) => onProgress?.({ stage: 'reading', done: Math.min(done + read, total), total }),
          signal,
        );
        if (part === parts[0]!.part) onProgress?.({ stage: 'compiling', done: total, total });
        return files;
      };
      const session = await startSession(plan, model, fill);
      // The weights lie in onnxruntime now: the copy here is dead.
      plan.collectGarbage?.();
      before += sliceBytes(manifest, { ...part, embed: false });
      runners.unshift(
        await plan.makeRunner(session, { config, slice: part, precision: plan.precision }, maxTokens),
      );
    }
  } catch (error) {
    for (const runner of runners) await runner.dispose();
    throw error;
  }
  const runner = runners.length === 1 ? runners[0]! : new PartedRunner(runners);
  const width = plan.precision === 'float16' ? 2 : 4;
  const info: EngineInfo = {
    backend,
    arithmetic: plan.arithmetic,
    precision: plan.precision,
    slice,
    width: config.width,
    vocabulary: config.vocabulary,
    maxTokens,
    weightBytes,
    kvBytesPerToken: 2 * (slice.end - slice.start) * config.kvHeads * config.headSize * width,
    threads: plan.threads,
    speed: null,
    fallbacks,
    device: plan.device,
  };
  const engine = new SliceEngine(info, runner, embedding, plan.maxChunk, memoryLimit);
  plan.onLost?.((reason) => engine.markLost(reason));
  return engine;
}

/** Apart from the loop that calls it, whose variables would keep the weights of a part alive during the next. */
async function startSession(
  plan: BackendPlan,
  model: Uint8Array,
  fill: () => Promise<ExternalFile[]>,
): Promise<Onnx.InferenceSession> {
  const files = await fill();
  const session = await plan.ort.InferenceSession.create(model, {
    ...plan.sessionOptions,
    externalData: externalData(files),
  }).catch((error: unknown) => {
    throw new BackendFailure(messageOf(error));
  });
  for (const { data } of files) freeBuffer(data.buffer);
  return session;
}

/** Gives the memory back at once, which a tab's garbage collector does much later; Node 20 cannot. */
function freeBuffer(buffer: ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }): void {
  buffer.transfer?.(0);
}

/** Weights of one part at most; and a fourth of the whole, so that starting takes a quarter more than running. */
const PART_WEIGHTS = 128 * 2 ** 20;
/** Below this, parts save nothing worth their call. */
const WHOLE_WEIGHTS = 8 * 2 ** 20;

/** The slices that are started one after another. A GPU gets one: each would cost it a round trip per token. */
export function partsOf(manifest: Manifest, slice: Slice, plan: Pick<BackendPlan, 'gpu'>): Slice[] {
  const layers = slice.end - slice.start;
  if (plan.gpu || layers === 0 || sliceWeights(manifest, slice) < WHOLE_WEIGHTS) return [slice];
  const layerWeights = sliceWeights(manifest, { ...slice, head: false });
  const count = Math.min(layers, Math.max(4, Math.ceil(layerWeights / PART_WEIGHTS)));
  const edges = Array.from({ length: count + 1 }, (_, at) => slice.start + Math.round((at * layers) / count));
  const parts = edges
    .slice(0, -1)
    .map((start, at) => ({ start, end: edges[at + 1]!, embed: slice.embed && at === 0, head: false }));
  return slice.head ? [...parts, { start: slice.end, end: slice.end, embed: false, head: true }] : parts;
}

/** Bytes of weights of these parts of a slice, and of the embedding table: what `EngineInfo.weightBytes` tells. */
export function weightsOf(
  manifest: Manifest,
  slice: Slice,
  parts: readonly Slice[],
  form: BackendPlan['form'],
  positions: number,
): number {
  const embedding = slice.embed
    ? manifest.tensors.find((tensor) => tensor.name === 'token_embd.weight')?.bytes
    : undefined;
  return parts.reduce(
    (sum, part) => sum + buildSliceGraph(manifest, part, { ...form, positions }).data.bytes,
    embedding ?? 0,
  );
}

/** Weights of the slice's matrices and vectors; the embedding table is no part of the graph. */
export function sliceWeights(manifest: Manifest, slice: Slice): number {
  return sliceTensors(manifest, { ...slice, embed: false }).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
