import type { TensorType } from '../../model/index.ts';
import type { BlockSource } from './block-source.ts';
import { FLOAT16_VALUES, fromBfloat16, fromFloat16 } from './float16.ts';
import { minimumK, scaleK } from './k-scales.ts';

/**
 * Decodes `count` blocks from block `first` on into `out` from `at` on.
 *
 * The arithmetic equals llama.cpp's bit for bit though JavaScript computes in float64: scales are float16 times an
 * integer of at most 8 bits, codes have at most 8 bits, so every product and sum below is exact in float64, and the one
 * rounding is the store; llama.cpp's float32 products are exact too, and it rounds once, in the last operation.
 */
export type Decoder = (
  source: BlockSource,
  first: number,
  count: number,
  out: Float32Array,
  at: number,
) => void;

const half = FLOAT16_VALUES;

const decodeF32: Decoder = ({ longs }, first, count, out, at) => {
  // As bits: a copy through numbers could change a NaN.
  new Uint32Array(out.buffer, out.byteOffset, out.length).set(longs.subarray(first, first + count), at);
};

const decodeF16: Decoder = ({ words }, first, count, out, at) => {
  fromFloat16(words.subarray(first, first + count), out.subarray(at, at + count));
};

const decodeBF16: Decoder = ({ words }, first, count, out, at) => {
  fromBfloat16(words.subarray(first, first + count), out.subarray(at, at + count));
};

/** scale, 16 bytes: weight j in the low nibble of byte j, weight j + 16 in the high one. */
const decodeQ4_0: Decoder = ({ words }, first, count, out, at) => {
  let word = first * 9;
  for (let block = 0; block < count; block++, at += 32) {
    const scale = half[words[word++]!]!;
    for (let j = at; j < at + 16; j += 2) {
      const pair = words[word++]!;
      out[j] = scale * ((pair & 15) - 8);
      out[j + 1] = scale * (((pair >> 8) & 15) - 8);
      out[j + 16] = scale * (((pair >> 4) & 15) - 8);
      out[j + 17] = scale * ((pair >> 12) - 8);
    }
  }
};

/** scale, minimum, codes as Q4_0. */
const decodeQ4_1: Decoder = ({ words }, first, count, out, at) => {
  let word = first * 10;
  for (let block = 0; block < count; block++, at += 32) {
    const scale = half[words[word++]!]!;
    const minimum = half[words[word++]!]!;
    for (let j = at; j < at + 16; j += 2) {
      const pair = words[word++]!;
      out[j] = scale * (pair & 15) + minimum;
      out[j + 1] = scale * ((pair >> 8) & 15) + minimum;
      out[j + 16] = scale * ((pair >> 4) & 15) + minimum;
      out[j + 17] = scale * (pair >> 12) + minimum;
    }
  }
};

/** scale, 32 fifth bits (bit j is of weight j), nibbles as Q4_0. */
const decodeQ5_0: Decoder = ({ words }, first, count, out, at) => {
  let word = first * 11;
  for (let block = 0; block < count; block++, at += 32) {
    const scale = half[words[word++]!]!;
    const low = words[word++]!;
    const high = words[word++]!;
    for (let j = 0; j < 16; j += 2) {
      const pair = words[word++]!;
      out[at + j] = scale * (((pair & 15) | (((low >> j) & 1) << 4)) - 16);
      out[at + j + 1] = scale * ((((pair >> 8) & 15) | (((low >> (j + 1)) & 1) << 4)) - 16);
      out[at + j + 16] = scale * ((((pair >> 4) & 15) | (((high >> j) & 1) << 4)) - 16);
      out[at + j + 17] = scale * (((pair >> 12) | (((high >> (j + 1)) & 1) << 4)) - 16);
    }
  }
};

/** scale, minimum, fifth bits and nibbles as Q5_0. */
const decodeQ5_1: Decoder = ({ words }, first, count, out, at) => {
  let word = first * 12;
  for (let block = 0; block < count; block++, at += 32) {
    const scale = half[words[word++]!]!;
    const minimum = half[words[word++]!]!;
    const low = words[word++]!;
    const high = words[word++]!;
    for (let j = 0; j < 16; j += 2) {
      const pair = words[word++]!;
      out[at + j] = scale * ((pair & 15) | (((low >> j) & 1) << 4)) + minimum;
      out[at + j + 1] = scale * (((pair >> 8) & 15) | (((low >> (j + 1)) & 1) << 4)) + minimum;
      out[at + j + 16] = scale * (((pair >> 4) & 15) | (((high >> j) & 1) << 4)) + minimum;
      out[at + j + 17] = scale * ((pair >> 12) | (((high >> (j + 1)) & 1) << 4)) + minimum;
    }
  }
};

/** scale, 32 signed bytes. */
const decodeQ8_0: Decoder = ({ words }, first, count, out, at) => {
  let word = first * 17;
  for (let block = 0; block < count; block++, at += 32) {
    const scale = half[words[word++]!]!;
    for (let j = at; j < at + 32; j += 2) {
      const pair = words[word++]!;
      out[j] = scale * ((pair << 24) >> 24);
      out[j + 1] = scale * ((pair << 16) >> 24);
    }
  }
};

/** scale of scales, scale of minima, 12 bytes of both; 128 bytes: of each 32, low nibbles first, then high ones. */
const decodeQ4_K: Decoder = ({ bytes, words }, first, count, out, at) => {
  for (let block = first; block < first + count; block++) {
    const scales = half[words[block * 72]!]!;
    const minima = half[words[block * 72 + 1]!]!;
    const packed = block * 144 + 4;
    let byte = packed + 12;
    for (let pair = 0; pair < 8; pair += 2, byte += 32, at += 64) {
      const scale1 = scales * scaleK(bytes, packed, pair);
      const minimum1 = minima * minimumK(bytes, packed, pair);
      const scale2 = scales * scaleK(bytes, packed, pair + 1);
      const minimum2 = minima * minimumK(bytes, packed, pair + 1);
      for (let j = 0; j < 32; j++) {
        const both = bytes[byte + j]!;
        out[at + j] = scale1 * (both & 15) - minimum1;
        out[at + j + 32] = scale2 * (both >> 4) - minimum2;
      }
    }
  }
};

/** As Q4_K with 32 bytes of fifth bits before the nibbles: bit i of byte j is of weight j of sub-block i. */
const decodeQ5_K: Decoder = ({ bytes, words }, first, count, out, at) => {
  for (let block = first; block < first + count; block++) {
    const scales = half[words[block * 88]!]!;
    const minima = half[words[block * 88 + 1]!]!;
    const packed = block * 176 + 4;
    const fifth = packed + 12;
    let byte = fifth + 32;
    for (let pair = 0; pair < 8; pair += 2, byte += 32, at += 64) {
      const scale1 = scales * scaleK(bytes, packed, pair);
      const minimum1 = minima * minimumK(bytes, packed, pair);
      const scale2 = scales * scaleK(bytes, packed, pair + 1);
      const minimum2 = minima * minimumK(bytes, packed, pair + 1);
      for (let j = 0; j < 32; j++) {
        const both = bytes[byte + j]!;
        const bits = bytes[fifth + j]! >> pair;
        out[at + j] = scale1 * ((both & 15) | ((bits & 1) << 4)) - minimum1;
        out[at + j + 32] = scale2 * ((both >> 4) | ((bits & 2) << 3)) - minimum2;
      }
    }
  }
};

/**
 * 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, scale of scales. Each half of 128 weights takes 64
 * bytes of nibbles and 32 of pairs: four runs of 32 weights, whose pairs lie in bits 0–1, 2–3, 4–5, 6–7.
 */
const decodeQ6_K: Decoder = ({ bytes, words }, first, count, out, at) => {
  for (let block = first; block < first + count; block++) {
    const scales = half[words[block * 105 + 104]!]!;
    for (let part = 0; part < 2; part++, at += 128) {
      const low = block * 210 + part * 64;
      const high = block * 210 + 128 + part * 32;
      const signed = block * 210 + 192 + part * 8;
      for (let j = 0; j < 32; j++) {
        const group = signed + (j >> 4);
        const first32 = bytes[low + j]!;
        const second32 = bytes[low + j + 32]!;
        const pairs = bytes[high + j]!;
        out[at + j] = scales * ((bytes[group]! << 24) >> 24) * (((first32 & 15) | ((pairs & 3) << 4)) - 32);
        out[at + j + 32] =
          scales * ((bytes[group + 2]! << 24) >> 24) * (((second32 & 15) | ((pairs & 12) << 2)) - 32);
        out[at + j + 64] =
          scales * ((bytes[group + 4]! << 24) >> 24) * (((first32 >> 4) | (pairs & 48)) - 32);
        out[at + j + 96] =
          scales * ((bytes[group + 6]! << 24) >> 24) * (((second32 >> 4) | ((pairs >> 2) & 48)) - 32);
      }
    }
  }
};

export const DECODERS: Readonly<Record<TensorType, Decoder>> = {
  F32: decodeF32,
  F16: decodeF16,
  BF16: decodeBF16,
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  Q4_K: decodeQ4_K,
  Q5_K: decodeQ5_K,
  Q6_K: decodeQ6_K,
};
