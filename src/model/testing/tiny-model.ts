import { tensorBytes } from '../tensor-types.ts';
import type { TensorType } from '../types.ts';
import { type GgufFile, writeGguf } from './gguf-writer.ts';

const WIDTH = 32;
const VOCABULARY = 16;

/** Bytes that look random and are the same every time. */
export function fillBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** The parts of a small tied llama of `layers` layers, for tests that change one thing before writing it. */
export function tinyParts(layers = 2, matrix: TensorType = 'Q8_0'): GgufFile {
  const shapes: [name: string, type: TensorType, shape: number[]][] = [
    ['token_embd.weight', matrix, [VOCABULARY, WIDTH]],
    ['output_norm.weight', 'F32', [WIDTH]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `blk.${layer}.${name}.weight`;
    shapes.push([at('attn_norm'), 'F32', [WIDTH]], [at('ffn_norm'), 'F32', [WIDTH]]);
    shapes.push([at('attn_q'), matrix, [WIDTH, WIDTH]], [at('attn_output'), matrix, [WIDTH, WIDTH]]);
    shapes.push([at('attn_k'), matrix, [WIDTH / 2, WIDTH]], [at('attn_v'), matrix, [WIDTH / 2, WIDTH]]);
    shapes.push([at('ffn_gate'), matrix, [2 * WIDTH, WIDTH]], [at('ffn_up'), matrix, [2 * WIDTH, WIDTH]]);
    shapes.push([at('ffn_down'), matrix, [WIDTH, 2 * WIDTH]]);
  }
  return {
    metadata: {
      'general.architecture': 'llama',
      'general.name': 'Tiny',
      'llama.block_count': layers,
      'llama.context_length': 128,
      'llama.embedding_length': WIDTH,
      'llama.feed_forward_length': 2 * WIDTH,
      'llama.attention.head_count': 4,
      'llama.attention.head_count_kv': 2,
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
      'llama.rope.freq_base': 10_000,
      'llama.rope.dimension_count': WIDTH / 4,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'smollm',
      'tokenizer.ggml.tokens': Array.from({ length: VOCABULARY }, (_, i) => String.fromCharCode(97 + i)),
      'tokenizer.ggml.token_type': Array.from({ length: VOCABULARY }, () => 1),
      'tokenizer.ggml.merges': ['a b', 'c d'],
      'tokenizer.ggml.eos_token_id': 0,
      'tokenizer.chat_template': '{{ messages[0].content }}',
    },
    tensors: shapes.map(([name, type, shape], i) => ({
      name,
      type,
      shape,
      data: fillBytes(tensorBytes(type, shape)!, i),
    })),
  };
}

export function tinyGguf(layers?: number): Uint8Array {
  return writeGguf(tinyParts(layers));
}
