import { writeGguf } from '../../model/testing/gguf-writer.ts';

const WIDTH = 32;
const FFN = 64;

/**
 * A whole llama with a byte vocabulary and fixed weights. It talks nonsense, always the same.
 * @param spread of the weights; a larger one makes the answers less monotonous
 */
export function tinyModel(layers = 2, spread = 0.4): Uint8Array {
  const tokens = ['<unk>', '<s>', '</s>'];
  const types = [2, 3, 3];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(6);
  }
  let seed = 1;
  const next = () => {
    // The Lehmer generator of Park and Miller: the same weights everywhere.
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647 - 0.5;
  };
  const tensor = (name: string, ...shape: number[]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = shape.length === 1 ? 1 : next() * spread;
    return { name, type: 'F32' as const, shape, data: new Uint8Array(values.buffer) };
  };
  const layer = (n: number) => [
    tensor(`blk.${n}.attn_norm.weight`, WIDTH),
    tensor(`blk.${n}.attn_q.weight`, WIDTH, WIDTH),
    tensor(`blk.${n}.attn_k.weight`, WIDTH / 2, WIDTH),
    tensor(`blk.${n}.attn_v.weight`, WIDTH / 2, WIDTH),
    tensor(`blk.${n}.attn_output.weight`, WIDTH, WIDTH),
    tensor(`blk.${n}.ffn_norm.weight`, WIDTH),
    tensor(`blk.${n}.ffn_gate.weight`, FFN, WIDTH),
    tensor(`blk.${n}.ffn_up.weight`, FFN, WIDTH),
    tensor(`blk.${n}.ffn_down.weight`, WIDTH, FFN),
  ];
  return writeGguf({
    metadata: {
      'general.architecture': 'llama',
      'general.name': 'Tiny shoal',
      'llama.block_count': layers,
      'llama.context_length': 256,
      'llama.embedding_length': WIDTH,
      'llama.feed_forward_length': FFN,
      'llama.attention.head_count': 2,
      'llama.attention.head_count_kv': 1,
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
      'llama.rope.freq_base': 10000,
      'llama.vocab_size': tokens.length,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.scores': tokens.map(() => 0),
      'tokenizer.ggml.token_type': types,
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
      'tokenizer.ggml.unknown_token_id': 0,
    },
    tensors: [
      tensor('token_embd.weight', tokens.length, WIDTH),
      ...Array.from({ length: layers }, (_, n) => layer(n)).flat(),
      tensor('output_norm.weight', WIDTH),
    ],
  });
}
