import type * as Onnx from 'onnxruntime-common';
import type { Manifest, Slice, TensorReader } from '../model/index.ts';
import { buildSliceGraph } from './graph/index.ts';
import { type BackendPlan, externalData } from './platform.ts';
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
  const graph = buildSliceGraph(manifest, slice, { ...plan.form, positions: maxTokens });
  const embeddingTensor = slice.embed
    ? manifest.tensors.find((tensor) => tensor.name === 'token_embd.weight')!
    : null;
  const weightBytes = graph.data.bytes + (embeddingTensor?.bytes ?? 0);
  const memoryLimit = options.memoryLimit ?? DEFAULT_MEMORY_LIMIT;
  if (weightBytes > memoryLimit)
    throw new EngineError(
      'out-of-memory',
      `these layers take ${Math.round(weightBytes / 1e6)} MB and the limit is ${Math.round(memoryLimit / 1e6)} MB; take fewer layers`,
    );

  const total = sliceTensorBytes(manifest, slice);
  let embedding: EmbeddingTable | null = null;
  if (embeddingTensor)
    embedding = { tensor: embeddingTensor, bytes: await reader.read(embeddingTensor.name, signal) };
  const files = await graph.data.load(
    reader,
    (done) => onProgress?.({ stage: 'reading', done: Math.min(done, total), total }),
    signal,
  );
  onProgress?.({ stage: 'compiling', done: total, total });
  let session: Onnx.InferenceSession;
  try {
    session = await plan.ort.InferenceSession.create(graph.model, {
      ...plan.sessionOptions,
      externalData: externalData(files),
    });
  } catch (error) {
    throw new BackendFailure(messageOf(error));
  }
  const shape = { config, slice, precision: plan.precision };
  const runner = await plan.makeRunner(session, shape, maxTokens);
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

function sliceTensorsOf({ tensors, config }: Manifest, { start, end, head }: Slice) {
  return tensors.filter(({ name }) => {
    const layer = /^blk\.(\d+)\./.exec(name);
    if (layer) return Number(layer[1]) >= start && Number(layer[1]) < end;
    return head && name === (config.tiedEmbedding ? 'token_embd.weight' : 'output.weight');
  });
}

/** Weights of the slice's matrices and vectors. */
export function sliceWeights(manifest: Manifest, slice: Slice): number {
  return sliceTensorsOf(manifest, slice).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

function sliceTensorBytes(manifest: Manifest, slice: Slice): number {
  return sliceTensorsOf(manifest, slice).reduce((sum, { bytes }) => sum + bytes, 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
