import type { TensorType } from '../../../model/index.ts';
import { type QuantisedType, referenceBytes } from './reference.ts';

/** Float16 patterns that break careless code: zeros, subnormals, the largest, one, each with both signs. */
const EDGE_HALVES = [
  0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x7bff, 0xfbff, 0x3c00, 0xbc00,
];

/** Byte offsets of the float16 fields of a block. */
const HALF_FIELDS: Readonly<Record<TensorType, readonly number[]>> = {
  F32: [],
  F16: [],
  BF16: [],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** Numbers below 2^32 from a seed (mulberry32), so that a failing test can be run again. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * The bytes of a tensor with random codes and finite scales. Of each eight blocks one has an edge value in every
 * float16 field, one has all its small scales at zero and one at their extremes; the others are any finite float16.
 */
export function randomTensor(type: TensorType, count: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  const bytes = new Uint8Array(referenceBytes(type, count));
  for (let i = 0; i < bytes.length; i++) bytes[i] = next();
  const view = new DataView(bytes.buffer);
  if (type === 'F32')
    for (let i = 0; i < count; i++)
      view.setFloat32(i * 4, (next() / 2 ** 31 - 1) * 2 ** ((next() % 40) - 30), true);
  if (type === 'F16') for (let i = 0; i < count; i++) view.setUint16(i * 2, finiteHalf(next()), true);
  // Exponents below 128 are finite.
  if (type === 'BF16') for (let i = 0; i < count; i++) view.setUint16(i * 2, next() & 0xbfff, true);
  const size = blockBytes(type);
  for (let start = 0, block = 0; start < bytes.length; start += size, block++)
    for (const field of HALF_FIELDS[type]) {
      const edge = block % 8 === 0;
      view.setUint16(
        start + field,
        edge ? EDGE_HALVES[next() % EDGE_HALVES.length]! : finiteHalf(next()),
        true,
      );
      const [from, to] = type === 'Q6_K' ? [192, 208] : type.endsWith('_K') ? [4, 16] : [0, 0];
      if (block % 8 === 1) bytes.fill(0, start + from, start + to);
      if (block % 8 === 2) bytes.fill(block % 16 === 2 ? 0xff : 0x80, start + from, start + to);
    }
  return bytes;
}

/** The same with scales between 2^-7 and 2^-6, so that sums of products do not swamp each other. */
export function randomWeights(type: QuantisedType, count: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  const bytes = randomTensor(type, count, next());
  const view = new DataView(bytes.buffer);
  for (let start = 0; start < bytes.length; start += blockBytes(type))
    for (const field of HALF_FIELDS[type]) view.setUint16(start + field, 0x2000 | (next() % 1024), true);
  return bytes;
}

/** Any row order of a matrix, each row once. */
export function randomOrder(rows: number, seed: number): Int32Array {
  const next = randomNumbers(seed);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function blockBytes(type: TensorType): number {
  return referenceBytes(type, type.endsWith('_K') ? 256 : 32);
}

/** Clears one bit of the exponent where all are set. */
function finiteHalf(random: number): number {
  const bits = random & 0xffff;
  return (bits & 0x7c00) === 0x7c00 ? bits & 0xbfff : bits;
}
