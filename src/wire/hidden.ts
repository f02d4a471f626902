import { fromFloat16, toFloat16 } from './float16.ts';
import { type PayloadType, WireError } from './types.ts';

/** Types in which hidden states are sent. All integers and floats are little-endian, as every platform here is. */
export type HiddenType = 'fp32' | 'fp16' | 'int8';

/** Bytes of one value; an int8 row has a float32 scale besides. */
const VALUE_BYTES: Readonly<Record<PayloadType, number>> = { fp32: 4, fp16: 2, bf16: 2, int8: 1, tokens: 4 };
const SCALE_BYTES = 4;
const INT8_MAX = 127;
/** With a larger scale the value -128 would be infinite. */
const LARGEST_SCALE = 3.4028234663852886e38 / 128;

function badPayload(why: string): never {
  throw new WireError('bad-payload', why);
}

/** Bytes that a payload of `positions` rows of `width` values takes. */
export function payloadBytes(dtype: PayloadType, positions: number, width: number): number {
  return positions * width * VALUE_BYTES[dtype] + (dtype === 'int8' ? positions * SCALE_BYTES : 0);
}

/**
 * The payload of rows of hidden states.
 * @param values [positions, width], row-major
 * @param dtype `fp32` loses nothing; `fp16` rounds to the nearest, ties to even; `int8` is IntelNav's: the scales of
 *   all rows (largest size / 127, as float32), then the rows
 * @throws WireError `bad-payload` for values that are not finite, or too large for the type: then send `fp32`
 */
export function encodeHidden(
  values: Float32Array,
  width: number,
  dtype: HiddenType,
): Uint8Array<ArrayBuffer> {
  const positions = values.length / width;
  if (!Number.isInteger(positions) || positions < 1)
    badPayload(`${values.length} values are not whole rows of ${width}.`);
  if (dtype === 'int8') return toInt8(values, positions, width);
  if (dtype === 'fp16') {
    const halves = new Uint16Array(values.length);
    if (!toFloat16(values, halves))
      badPayload('A value is not finite or above 65504, which fp16 cannot hold. Send these rows as fp32.');
    return new Uint8Array(halves.buffer);
  }
  const copy = new Float32Array(values);
  if (!allFinite(copy)) badPayload('A value is NaN or infinite: the engine that made it is broken.');
  return new Uint8Array(copy.buffer);
}

/**
 * Rows of hidden states from a payload.
 * @param shape [1, positions, width]
 * @returns [positions, width], row-major, in a buffer of its own
 * @throws WireError `bad-payload` for a length that does not fit, NaN, infinities, and types that hold no hidden
 *   states here
 */
export function decodeHidden(
  payload: Uint8Array,
  shape: readonly [number, number, number],
  dtype: PayloadType,
): Float32Array<ArrayBuffer> {
  if (dtype === 'tokens') badPayload('Token ids came where hidden states belong.');
  if (dtype === 'bf16')
    badPayload('bf16 is not taken, as IntelNav does not: send fp16, or fp32 to lose nothing.');
  const [, positions, width] = shape;
  const wanted = payloadBytes(dtype, positions, width);
  if (payload.length !== wanted || wanted === 0)
    badPayload(
      `A payload has ${payload.length} bytes; ${positions}×${width} values of ${dtype} take ${wanted}.`,
    );
  const values = new Float32Array(positions * width);
  let finite: boolean;
  if (dtype === 'int8') finite = fromInt8(payload, positions, width, values);
  else if (dtype === 'fp16') finite = fromFloat16(halfWords(payload), values);
  else {
    new Uint8Array(values.buffer).set(payload);
    finite = allFinite(values);
  }
  if (!finite) badPayload(`A payload of ${dtype} holds NaN or infinities: the peer that made it is broken.`);
  return values;
}

/** Token ids as u32, one per position. @throws WireError `bad-payload` for what is no u32 */
export function encodeTokens(tokens: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const ids = new Uint32Array(tokens.length);
  for (let i = 0; i < ids.length; i++) {
    const id = tokens[i]!;
    if (id >>> 0 !== id) badPayload(`Token ${i} is no whole number from 0 to 4294967295.`);
    ids[i] = id;
  }
  return new Uint8Array(ids.buffer);
}

/** Token ids from a payload; whether they are in the vocabulary is for the reader to check. */
export function decodeTokens(payload: Uint8Array): Uint32Array<ArrayBuffer> {
  if (payload.length % 4 !== 0) badPayload(`${payload.length} bytes are not whole u32 token ids.`);
  const ids = new Uint32Array(payload.length / 4);
  new Uint8Array(ids.buffer).set(payload);
  return ids;
}

function allFinite(values: Float32Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & 0x7f800000) === 0x7f800000) return false;
  return true;
}

/** A view where the bytes are aligned; a payload inside a frame starts anywhere. */
function halfWords(payload: Uint8Array): Uint16Array {
  if (payload.byteOffset % 2 === 0)
    return new Uint16Array(payload.buffer, payload.byteOffset, payload.length / 2);
  const copy = new Uint16Array(payload.length / 2);
  new Uint8Array(copy.buffer).set(payload);
  return copy;
}

function toInt8(values: Float32Array, positions: number, width: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(payloadBytes('int8', positions, width));
  const scales = new Float32Array(payload.buffer, 0, positions);
  const rows = new Int8Array(payload.buffer, positions * SCALE_BYTES);
  for (let row = 0; row < positions; row++) {
    let largest = 0;
    const end = (row + 1) * width;
    // Math.max keeps a NaN.
    for (let i = row * width; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
    let scale = Math.fround(largest / INT8_MAX);
    if (!(scale <= LARGEST_SCALE))
      badPayload('A value is not finite or too large for int8. Send these rows as fp32.');
    // Below 2⁻¹⁵⁰ × 127 the scale itself would be zero.
    if (scale === 0) scale = 1;
    scales[row] = scale;
    for (let i = row * width; i < end; i++) {
      const q = Math.fround(values[i]! / scale);
      // Halves away from zero, as Rust rounds. The sign goes on without a branch, because the processor would guess
      // every second one wrong: six times as fast.
      const size = (Math.abs(q) + 0.5) | 0;
      const negative = -Number(q < 0);
      // More than 127 only where the scale is too small to be exact.
      rows[i] = ((size > INT8_MAX ? INT8_MAX : size) ^ negative) - negative;
    }
  }
  return payload;
}

function fromInt8(payload: Uint8Array, positions: number, width: number, out: Float32Array): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const rows = new Int8Array(payload.buffer, payload.byteOffset + positions * SCALE_BYTES, positions * width);
  for (let row = 0; row < positions; row++) {
    const scale = view.getFloat32(row * SCALE_BYTES, true);
    if (!(scale >= 0 && scale <= LARGEST_SCALE)) return false;
    const end = (row + 1) * width;
    for (let i = row * width; i < end; i++) out[i] = rows[i]! * scale;
  }
  return true;
}
