import type { Manifest, ManifestTensor, ModelConfig, TensorReader, TensorType } from '../../model/index.ts';
import { toFloat16 } from '../weights/index.ts';

/** 256 is the block of the K types. */
const WIDTH = 256;
const VOCABULARY = 96;

/** Matrices of three storage types, so that each kind of block product is exercised. */
const MATRICES: [name: string, type: TensorType, rows: (config: ModelConfig) => number][] = [
  ['blk.0.attn_q.weight', 'Q4_0', (config) => config.heads * config.headSize],
  ['blk.0.attn_k.weight', 'Q4_0', (config) => config.kvHeads * config.headSize],
  ['blk.0.attn_v.weight', 'Q8_0', (config) => config.kvHeads * config.headSize],
  ['blk.0.attn_output.weight', 'Q8_0', () => WIDTH],
  ['blk.0.ffn_gate.weight', 'Q4_0', () => WIDTH],
  ['blk.0.ffn_up.weight', 'Q4_0', () => WIDTH],
  ['blk.0.ffn_down.weight', 'Q6_K', () => WIDTH],
  ['token_embd.weight', 'Q8_0', () => VOCABULARY],
];
const NORMS = ['blk.0.attn_norm.weight', 'blk.0.ffn_norm.weight', 'output_norm.weight'];

export interface TinyModel extends TensorReader {
  manifest: Manifest;
  bytes: ReadonlyMap<string, Uint8Array>;
}

/**
 * A one-layer llama with pseudo-random weights and the head size of the model to be loaded, on which a GPU is
 * tested before it gets the real weights.
 */
export function tinyModel(headSize: number): TinyModel {
  const config: ModelConfig = {
    architecture: 'llama',
    layers: 1,
    width: WIDTH,
    // Twice WIDTH holds every even head size up to 512 in whole K blocks of the next matrix.
    heads: 2,
    kvHeads: 1,
    headSize,
    ffnWidth: WIDTH,
    vocabulary: VOCABULARY,
    contextLength: 64,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { kind: 'none' },
    interleavedRope: false,
    tiedEmbedding: true,
  };
  const random = generator(0x5eed);
  const bytes = new Map<string, Uint8Array>();
  const tensors: ManifestTensor[] = [];
  let offset = 0;
  const add = (name: string, type: TensorType, shape: number[], data: Uint8Array) => {
    bytes.set(name, data);
    tensors.push({ name, type, shape, file: 0, offset, bytes: data.length, sha256: '' });
    offset += data.length;
  };
  for (const [name, type, rows] of MATRICES) {
    const columns = name === 'blk.0.attn_output.weight' ? config.heads * headSize : WIDTH;
    add(name, type, [rows(config), columns], randomBlocks(type, rows(config) * columns, random));
  }
  for (const name of NORMS) {
    const values = Float32Array.from({ length: WIDTH }, () => 0.5 + random());
    add(name, 'F32', [WIDTH], new Uint8Array(values.buffer));
  }
  const manifest: Manifest = {
    version: 1,
    name: 'self-test',
    config,
    files: [{ name: 'self-test', bytes: offset }],
    tensors,
    tokenizer: null,
    chatTemplate: null,
  };
  return { manifest, bytes, read: async (name) => bytes.get(name)! };
}

/** Blocks with random codes and scales that give weights of about ±0.1. */
function randomBlocks(type: TensorType, count: number, random: () => number): Uint8Array {
  const [perBlock, blockBytes, scaleAt, scale] = {
    Q4_0: [32, 18, 0, 0.015],
    Q8_0: [32, 34, 0, 0.001],
    Q6_K: [256, 210, 208, 0.000_05],
  }[type as 'Q4_0' | 'Q8_0' | 'Q6_K'] as [number, number, number, number];
  const bytes = Uint8Array.from({ length: (count / perBlock) * blockBytes }, () =>
    Math.floor(random() * 256),
  );
  for (let block = 0; block < count / perBlock; block++) {
    const [bits] = toFloat16(Float32Array.of(scale * (0.5 + random())));
    bytes[block * blockBytes + scaleAt] = bits! & 0xff;
    bytes[block * blockBytes + scaleAt + 1] = bits! >> 8;
  }
  return bytes;
}

/** mulberry32: the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
