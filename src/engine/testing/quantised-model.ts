import { type TensorType, tensorBytes } from '../../model/index.ts';
import { writeGguf } from '../../model/testing/gguf-writer.ts';
import { toFloat16 } from '../weights/index.ts';
import { randomNumbers } from '../weights/testing/generate.ts';

const WIDTH = 256;
const LAYERS = 2;
const VOCABULARY = 128;
const HEADS = 4;
const KV_HEADS = 2;
const HEAD_SIZE = 64;

/** Per block: its bytes, and the float16 fields (byte offset, value) that give weights of about ±0.1. */
const BLOCK_FIELDS: Partial<Record<TensorType, [bytes: number, fields: [number, number][]]>> = {
  Q4_0: [18, [[0, 0.015]]],
  Q4_1: [
    20,
    [
      [0, 0.015],
      [2, -0.11],
    ],
  ],
  Q5_0: [22, [[0, 0.007]]],
  Q5_1: [
    24,
    [
      [0, 0.007],
      [2, -0.11],
    ],
  ],
  Q8_0: [34, [[0, 0.001]]],
  Q4_K: [
    144,
    [
      [0, 0.0004],
      [2, 0.003],
    ],
  ],
  Q5_K: [
    176,
    [
      [0, 0.0002],
      [2, 0.003],
    ],
  ],
  Q6_K: [210, [[208, 0.00005]]],
};

/** A two-layer llama in GGUF whose matrices take the given storage types in turn. */
export function quantisedModel(types: readonly TensorType[], seed = 1): Uint8Array {
  const numbers = randomNumbers(seed);
  const random = () => numbers() / 2 ** 32;
  let turn = 0;
  const tensors: { name: string; type: TensorType; shape: number[]; data: Uint8Array }[] = [];
  const matrix = (name: string, rows: number, columns: number) => {
    const type = types[turn++ % types.length]!;
    tensors.push({ name, type, shape: [rows, columns], data: randomMatrix(type, rows * columns, random) });
  };
  const vector = (name: string) => {
    const values = Float32Array.from({ length: WIDTH }, () => 0.5 + random());
    tensors.push({ name, type: 'F32', shape: [WIDTH], data: new Uint8Array(values.buffer) });
  };
  matrix('token_embd.weight', VOCABULARY, WIDTH);
  for (let layer = 0; layer < LAYERS; layer++) {
    vector(`blk.${layer}.attn_norm.weight`);
    matrix(`blk.${layer}.attn_q.weight`, HEADS * HEAD_SIZE, WIDTH);
    matrix(`blk.${layer}.attn_k.weight`, KV_HEADS * HEAD_SIZE, WIDTH);
    matrix(`blk.${layer}.attn_v.weight`, KV_HEADS * HEAD_SIZE, WIDTH);
    matrix(`blk.${layer}.attn_output.weight`, WIDTH, HEADS * HEAD_SIZE);
    vector(`blk.${layer}.ffn_norm.weight`);
    matrix(`blk.${layer}.ffn_gate.weight`, WIDTH, WIDTH);
    matrix(`blk.${layer}.ffn_up.weight`, WIDTH, WIDTH);
    matrix(`blk.${layer}.ffn_down.weight`, WIDTH, WIDTH);
  }
  vector('output_norm.weight');
  return writeGguf({
    metadata: {
      'general.architecture': 'llama',
      'general.name': 'quantised',
      'llama.block_count': LAYERS,
      'llama.context_length': 128,
      'llama.embedding_length': WIDTH,
      'llama.feed_forward_length': WIDTH,
      'llama.attention.head_count': HEADS,
      'llama.attention.head_count_kv': KV_HEADS,
      'llama.rope.freq_base': 10000,
      'llama.rope.dimension_count': HEAD_SIZE,
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
      'llama.vocab_size': VOCABULARY,
    },
    tensors,
  });
}

function randomMatrix(type: TensorType, count: number, random: () => number): Uint8Array {
  const floats = () => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.2);
  if (type === 'F32') return new Uint8Array(floats().buffer);
  if (type === 'F16') return new Uint8Array(toFloat16(floats()).buffer);
  if (type === 'BF16') {
    const bits = new Uint32Array(floats().buffer);
    return new Uint8Array(Uint16Array.from(bits, (value) => value >>> 16).buffer);
  }
  const [blockBytes, fields] = BLOCK_FIELDS[type]!;
  const bytes = Uint8Array.from({ length: tensorBytes(type, [count])! }, () => Math.floor(random() * 256));
  for (let block = 0; block < bytes.length; block += blockBytes)
    for (const [at, value] of fields) {
      const [bits] = toFloat16(Float32Array.of(value * (0.8 + 0.4 * random())));
      bytes[block + at] = bits! & 0xff;
      bytes[block + at + 1] = bits! >> 8;
    }
  return bytes;
}
