import type { TensorType } from '../../../model/index.ts';

/**
 * A second dequantiser for tests, written from the description of the formats: one weight at a time, through a
 * DataView, in exact integer arithmetic. Slow and obvious on purpose; it shares no code and no table with the fast one.
 *
 * Every float16 is a whole multiple of 2^-24, so scales and minima are BigInts in that unit, and nothing is rounded.
 */
export interface ExactWeight {
  /** Multiples of 2^-24. */
  scale: bigint;
  /** Signed: the zero point of the format is already taken off. */
  code: bigint;
  /** Multiples of 2^-24; weight = scale · code + minimum. */
  minimum: bigint;
}

/** The quantised types, all but plain floats. */
export type QuantisedType = Exclude<TensorType, 'F32' | 'F16' | 'BF16'>;

/** Bytes that hold `count` weights, `count` being whole blocks. */
export function referenceBytes(type: TensorType, count: number): number {
  switch (type) {
    case 'F32':
      return count * 4;
    case 'F16':
    case 'BF16':
      return count * 2;
    case 'Q4_0':
      return (count / 32) * (2 + 16);
    case 'Q4_1':
      return (count / 32) * (2 + 2 + 16);
    case 'Q5_0':
      return (count / 32) * (2 + 4 + 16);
    case 'Q5_1':
      return (count / 32) * (2 + 2 + 4 + 16);
    case 'Q8_0':
      return (count / 32) * (2 + 32);
    case 'Q4_K':
      return (count / 256) * (2 + 2 + 12 + 128);
    case 'Q5_K':
      return (count / 256) * (2 + 2 + 12 + 32 + 128);
    case 'Q6_K':
      return (count / 256) * (128 + 64 + 16 + 2);
  }
}

/** Weight `index` of a tensor, without any rounding. */
export function exactWeight(type: QuantisedType, bytes: Uint8Array, index: number): ExactWeight {
  const perBlock = type.endsWith('_K') ? 256 : 32;
  const size = referenceBytes(type, perBlock);
  const start = Math.floor(index / perBlock) * size;
  const block = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  const i = index % perBlock;
  switch (type) {
    case 'Q4_0':
      return { scale: half(block, 0), code: BigInt(nibble(block, 2, i) - 8), minimum: 0n };
    case 'Q4_1':
      return { scale: half(block, 0), code: BigInt(nibble(block, 4, i)), minimum: half(block, 2) };
    case 'Q5_0':
      return {
        scale: half(block, 0),
        code: BigInt(nibble(block, 6, i) + 16 * bit(block, 2, i) - 16),
        minimum: 0n,
      };
    case 'Q5_1':
      return {
        scale: half(block, 0),
        code: BigInt(nibble(block, 8, i) + 16 * bit(block, 4, i)),
        minimum: half(block, 2),
      };
    case 'Q8_0':
      return { scale: half(block, 0), code: BigInt(block.getInt8(2 + i)), minimum: 0n };
    case 'Q4_K': {
      const group = Math.floor(i / 32);
      const [scale, minimum] = sixBitPair(block, group);
      const byte = block.getUint8(16 + 32 * Math.floor(group / 2) + (i % 32));
      return {
        scale: half(block, 0) * scale,
        code: BigInt(group % 2 === 0 ? byte % 16 : Math.floor(byte / 16)),
        minimum: -half(block, 2) * minimum,
      };
    }
    case 'Q5_K': {
      const group = Math.floor(i / 32);
      const [scale, minimum] = sixBitPair(block, group);
      const byte = block.getUint8(48 + 32 * Math.floor(group / 2) + (i % 32));
      const fifth = Math.floor(block.getUint8(16 + (i % 32)) / 2 ** group) % 2;
      return {
        scale: half(block, 0) * scale,
        code: BigInt((group % 2 === 0 ? byte % 16 : Math.floor(byte / 16)) + 16 * fifth),
        minimum: -half(block, 2) * minimum,
      };
    }
    case 'Q6_K': {
      const part = Math.floor(i / 128);
      const quarter = Math.floor((i % 128) / 32);
      const lane = i % 32;
      const byte = block.getUint8(64 * part + 32 * (quarter % 2) + lane);
      const low = quarter < 2 ? byte % 16 : Math.floor(byte / 16);
      const upper = Math.floor(block.getUint8(128 + 32 * part + lane) / 4 ** quarter) % 4;
      return {
        scale: half(block, 208) * BigInt(block.getInt8(192 + Math.floor(i / 16))),
        code: BigInt(low + 16 * upper - 32),
        minimum: 0n,
      };
    }
  }
}

/** The exact value of a weight, in multiples of 2^-24. */
export function exactValue({ scale, code, minimum }: ExactWeight): bigint {
  return scale * code + minimum;
}

/** Weight `index` as float32: the exact value rounded once. */
export function referenceValue(type: TensorType, bytes: Uint8Array, index: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'F32') return view.getFloat32(index * 4, true);
  if (type === 'F16') return Number(half(view, index * 2)) / 2 ** 24;
  if (type === 'BF16') {
    const wide = new DataView(new ArrayBuffer(4));
    wide.setUint16(0, view.getUint16(index * 2, true));
    return wide.getFloat32(0);
  }
  return Math.fround(Number(exactValue(exactWeight(type, bytes, index))) / 2 ** 24);
}

/** A finite float16 as a multiple of 2^-24, the smallest subnormal. */
function half(view: DataView, at: number): bigint {
  const bits = view.getUint16(at, true);
  const exponent = Math.floor(bits / 1024) % 32;
  const fraction = BigInt(bits % 1024);
  if (exponent === 31) throw new RangeError('not finite');
  const magnitude = exponent === 0 ? fraction : (1024n + fraction) * 2n ** BigInt(exponent - 1);
  return bits >= 0x8000 ? -magnitude : magnitude;
}

/** Nibble of weight i of 32: the low ones of 16 bytes, then the high ones. */
function nibble(view: DataView, at: number, i: number): number {
  const byte = view.getUint8(at + (i % 16));
  return i < 16 ? byte % 16 : Math.floor(byte / 16);
}

/** Bit i of the 32-bit integer at `at`. */
function bit(view: DataView, at: number, i: number): number {
  return Math.floor(view.getUint32(at, true) / 2 ** i) % 2;
}

/** The scale and minimum of one of the eight groups of a Q4_K or Q5_K block, from the 12 bytes at 4. */
function sixBitPair(view: DataView, group: number): [bigint, bigint] {
  const byte = (i: number): number => view.getUint8(4 + i);
  if (group < 4) return [BigInt(byte(group) % 64), BigInt(byte(group + 4) % 64)];
  const lows = byte(group + 4);
  return [
    BigInt((lows % 16) + 16 * Math.floor(byte(group - 4) / 64)),
    BigInt(Math.floor(lows / 16) + 16 * Math.floor(byte(group) / 64)),
  ];
}
