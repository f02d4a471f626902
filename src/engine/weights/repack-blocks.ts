import type { TensorType } from '../../model/index.ts';
import type { BlockSource } from './block-source.ts';
import { FLOAT16_VALUES } from './float16.ts';
import { minimumK, scaleK } from './k-scales.ts';

/** Where repacked rows go; see `Quantised` for the layouts. */
export interface RepackTarget {
  codes: Uint8Array;
  /** The same bytes. */
  words: Uint16Array;
  /** The same bytes. */
  longs: Uint32Array;
  scales: Float32Array;
  /** Empty for types without a minimum. */
  offsets: Float32Array;
  /** Output rows: the distance of two offsets of one row. */
  rows: number;
}

/** Repacks `count` blocks, from block `first` on, as the output row `row`. */
export type Repacker = (
  source: BlockSource,
  first: number,
  count: number,
  target: RepackTarget,
  row: number,
) => void;

/** What a type becomes. */
export interface RepackForm {
  bits: 4 | 8;
  blockSize: 16 | 32;
  offsets: boolean;
  repack: Repacker;
}

const half = FLOAT16_VALUES;

/*
 * GGUF puts weights j and j + 16 of a block into one byte, MatMulNBits weights 2j and 2j + 1. The loops below take the
 * low (or high) nibbles of two or four source bytes at once and join neighbours.
 */

const repackQ4_0: Repacker = ({ words }, first, count, { codes, scales }, row) => {
  let word = first * 9;
  let scale = row * count;
  let at = scale * 16;
  for (let block = 0; block < count; block++, at += 16) {
    scales[scale++] = half[words[word++]!]!;
    for (let j = at; j < at + 8; j++) {
      const pair = words[word++]!;
      codes[j] = (pair & 15) | ((pair >> 4) & 0xf0);
      codes[j + 8] = ((pair >> 4) & 15) | ((pair >> 8) & 0xf0);
    }
  }
};

const repackQ4_1: Repacker = ({ words }, first, count, { codes, scales, offsets, rows }, row) => {
  let word = first * 10;
  let scale = row * count;
  let offset = row;
  let at = scale * 16;
  for (let block = 0; block < count; block++, at += 16, offset += rows) {
    const step = half[words[word++]!]!;
    scales[scale++] = step;
    offsets[offset] = 8 * step + half[words[word++]!]!;
    for (let j = at; j < at + 8; j++) {
      const pair = words[word++]!;
      codes[j] = (pair & 15) | ((pair >> 4) & 0xf0);
      codes[j + 8] = ((pair >> 4) & 15) | ((pair >> 8) & 0xf0);
    }
  }
};

/** Codes 0–31 stand for -16–15: with zero point 128 they become 112–143. */
const repackQ5_0: Repacker = ({ words }, first, count, { codes, scales }, row) => {
  let word = first * 11;
  let scale = row * count;
  let at = scale * 32;
  for (let block = 0; block < count; block++, at += 32) {
    scales[scale++] = half[words[word++]!]!;
    const low = words[word++]!;
    const high = words[word++]!;
    for (let j = 0; j < 16; j += 2) {
      const pair = words[word++]!;
      codes[at + j] = ((pair & 15) | (((low >> j) & 1) << 4)) + 112;
      codes[at + j + 1] = (((pair >> 8) & 15) | (((low >> (j + 1)) & 1) << 4)) + 112;
      codes[at + j + 16] = (((pair >> 4) & 15) | (((high >> j) & 1) << 4)) + 112;
      codes[at + j + 17] = ((pair >> 12) | (((high >> (j + 1)) & 1) << 4)) + 112;
    }
  }
};

/** Codes 0–31 become 128–159, so that the offset is the minimum itself, with nothing to round. */
const repackQ5_1: Repacker = ({ words }, first, count, { codes, scales, offsets, rows }, row) => {
  let word = first * 12;
  let scale = row * count;
  let offset = row;
  let at = scale * 32;
  for (let block = 0; block < count; block++, at += 32, offset += rows) {
    scales[scale++] = half[words[word++]!]!;
    offsets[offset] = half[words[word++]!]!;
    const low = words[word++]!;
    const high = words[word++]!;
    for (let j = 0; j < 16; j += 2) {
      const pair = words[word++]!;
      codes[at + j] = (pair & 15) | (((low >> j) & 1) << 4) | 128;
      codes[at + j + 1] = ((pair >> 8) & 15) | (((low >> (j + 1)) & 1) << 4) | 128;
      codes[at + j + 16] = ((pair >> 4) & 15) | (((high >> j) & 1) << 4) | 128;
      codes[at + j + 17] = (pair >> 12) | (((high >> (j + 1)) & 1) << 4) | 128;
    }
  }
};

const repackQ8_0: Repacker = ({ words }, first, count, { words: codes, scales }, row) => {
  let word = first * 17;
  let scale = row * count;
  let at = scale * 16;
  for (let block = 0; block < count; block++) {
    scales[scale++] = half[words[word++]!]!;
    for (const end = at + 16; at < end; ) codes[at++] = words[word++]! ^ 0x8080;
  }
};

const repackQ4_K: Repacker = ({ bytes, words, longs }, first, count, target, row) => {
  const { words: codes, scales, offsets, rows } = target;
  let scale = row * count * 8;
  let offset = row;
  let at = scale * 8;
  for (let block = first; block < first + count; block++) {
    const steps = half[words[block * 72]!]!;
    const minima = half[words[block * 72 + 1]!]!;
    const packed = block * 144 + 4;
    for (let i = 0; i < 8; i++, offset += rows) {
      const step = steps * scaleK(bytes, packed, i);
      scales[scale++] = step;
      offsets[offset] = 8 * step - minima * minimumK(bytes, packed, i);
    }
    let long = block * 36 + 4;
    for (let pair = 0; pair < 4; pair++, at += 16)
      for (let j = at; j < at + 8; j++) {
        const four = longs[long++]!;
        let low = four & 0x0f0f0f0f;
        low |= low >>> 4;
        codes[j] = (low & 0xff) | ((low >>> 8) & 0xff00);
        let high = (four >>> 4) & 0x0f0f0f0f;
        high |= high >>> 4;
        codes[j + 8] = (high & 0xff) | ((high >>> 8) & 0xff00);
      }
  }
};

/** Codes and offsets as Q5_1. */
const repackQ5_K: Repacker = ({ bytes, words, longs }, first, count, target, row) => {
  const { longs: codes, scales, offsets, rows } = target;
  let scale = row * count * 8;
  let offset = row;
  let at = scale * 8;
  for (let block = first; block < first + count; block++) {
    const steps = half[words[block * 88]!]!;
    const minima = half[words[block * 88 + 1]!]!;
    const packed = block * 176 + 4;
    for (let i = 0; i < 8; i++, offset += rows) {
      scales[scale++] = steps * scaleK(bytes, packed, i);
      offsets[offset] = -(minima * minimumK(bytes, packed, i));
    }
    const fifth = block * 44 + 4;
    let long = fifth + 8;
    for (let pair = 0; pair < 8; pair += 2, at += 16, long += 8)
      for (let j = 0; j < 8; j++) {
        const four = longs[long + j]!;
        const bits = longs[fifth + j]! >>> pair;
        codes[at + j] = (four & 0x0f0f0f0f) | ((bits & 0x01010101) << 4) | 0x80808080;
        codes[at + j + 8] = ((four >>> 4) & 0x0f0f0f0f) | ((bits & 0x02020202) << 3) | 0x80808080;
      }
  }
};

/** Codes 0–63 stand for -32–31: with zero point 128 they become 96–159. */
const repackQ6_K: Repacker = ({ bytes, words }, first, count, { words: codes, scales }, row) => {
  let scale = row * count * 16;
  let at = scale * 8;
  for (let block = first; block < first + count; block++) {
    const steps = half[words[block * 105 + 104]!]!;
    const signed = block * 210 + 192;
    for (let i = signed; i < signed + 16; i++) scales[scale++] = steps * ((bytes[i]! << 24) >> 24);
    for (let part = 0; part < 2; part++, at += 64) {
      const low = block * 105 + part * 32;
      const high = block * 105 + 64 + part * 16;
      for (let j = 0; j < 16; j++) {
        const first32 = words[low + j]!;
        const second32 = words[low + j + 16]!;
        const pairs = words[high + j]!;
        codes[at + j] = ((first32 & 0x0f0f) | ((pairs & 0x0303) << 4)) + 0x6060;
        codes[at + j + 16] = ((second32 & 0x0f0f) | ((pairs & 0x0c0c) << 2)) + 0x6060;
        codes[at + j + 32] = (((first32 >> 4) & 0x0f0f) | (pairs & 0x3030)) + 0x6060;
        codes[at + j + 48] = (((second32 >> 4) & 0x0f0f) | ((pairs >> 2) & 0x3030)) + 0x6060;
      }
    }
  }
};

/** Null: no codes, the matrix runs dense. */
export const REPACK_FORMS: Readonly<Record<TensorType, RepackForm | null>> = {
  F32: null,
  F16: null,
  BF16: null,
  Q4_0: { bits: 4, blockSize: 32, offsets: false, repack: repackQ4_0 },
  Q4_1: { bits: 4, blockSize: 32, offsets: true, repack: repackQ4_1 },
  Q5_0: { bits: 8, blockSize: 32, offsets: false, repack: repackQ5_0 },
  Q5_1: { bits: 8, blockSize: 32, offsets: true, repack: repackQ5_1 },
  Q8_0: { bits: 8, blockSize: 32, offsets: false, repack: repackQ8_0 },
  Q4_K: { bits: 4, blockSize: 32, offsets: true, repack: repackQ4_K },
  Q5_K: { bits: 8, blockSize: 32, offsets: true, repack: repackQ5_K },
  Q6_K: { bits: 8, blockSize: 16, offsets: false, repack: repackQ6_K },
};
