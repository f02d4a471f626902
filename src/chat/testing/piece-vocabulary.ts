import type { GgufValue } from '../../model/testing/gguf-writer.ts';
import { sampleStrings } from './strings.ts';

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/**
 * GGUF metadata of a small SentencePiece vocabulary: 256 bytes, frequent characters, and substrings of sample texts, some
 * with equal scores, so that ties are met. None holds U+0000, where llama.cpp
 * cuts a token, or a bracket: llama.cpp would merge typed brackets into a control token, and we do not.
 */
export function pieceVocabulary(): Record<string, GgufValue> {
  const tokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>', '<tool>'];
  const types = [UNKNOWN, CONTROL, CONTROL, CONTROL, CONTROL, USER_DEFINED];
  const scores = [0, 0, 0, 0, 0, 0];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(BYTE);
    scores.push(0);
  }
  const counts = new Map<string, number>();
  for (const text of sampleStrings(2500, 4)) {
    const characters = [...text.replace(/\p{Surrogate}/gu, '').replaceAll(' ', '▁')];
    for (let start = 0; start < characters.length; start++) {
      for (let length = 1; length <= 8 && start + length <= characters.length; length++) {
        const piece = characters.slice(start, start + length).join('');
        counts.set(piece, (counts.get(piece) ?? 0) + 1);
      }
    }
  }
  const known = new Set(tokens);
  const frequent = [...counts]
    .filter(([piece, count]) => count > 3 && !known.has(piece) && !/[<|>\0]/.test(piece))
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 6000);
  for (const [piece, count] of frequent) {
    tokens.push(piece);
    types.push(NORMAL);
    scores.push(count);
  }
  return {
    'general.architecture': 'llama',
    'llama.block_count': 1,
    'llama.context_length': 128,
    'llama.embedding_length': 32,
    'llama.feed_forward_length': 32,
    'llama.attention.head_count': 1,
    'llama.attention.layer_norm_rms_epsilon': 1e-5,
    'llama.vocab_size': tokens.length,
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.scores': scores,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
  };
}
