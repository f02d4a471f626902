/**
 * Conversions between 16-bit and 32-bit floats. They work on bit patterns: a NaN that passes through a JavaScript
 * number may lose its payload, and then a round trip would not be exact.
 */

/** Bits of the float32 that equals the float16 `bits` (16 bits). Always exact. */
export function float16BitsToFloat32Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  // 112 is the difference of the two exponent biases, 127 - 15.
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal float16 is a normal float32: shift until the leading one stands at bit 10, where it is implied.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** Bits of the float16 nearest to the float32 `bits`, ties to even; past 65519 infinity, NaN stays NaN. */
export function float32BitsToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // 0x38800000 is 2^-14, the smallest normal float16; 0x47800000 is 65536.
  if (magnitude >= 0x38800000) {
    // Adding just under half, and the last kept bit, rounds to even; a carry runs into the exponent as it should.
    if (magnitude < 0x47800000)
      return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    if (magnitude <= 0x7f800000) return sign | 0x7c00;
    const fraction = (magnitude >>> 13) & 0x3ff;
    return sign | 0x7c00 | (fraction === 0 ? 0x200 : fraction);
  }
  // 2^-25 is half of the smallest subnormal, and ties to zero.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}

/** The float32 bits of every float16, 256 KiB: faster than the arithmetic in a loop over weights. */
export const FLOAT16_BITS: Uint32Array = (() => {
  const table = new Uint32Array(65536);
  for (let bits = 0; bits < 65536; bits++) table[bits] = float16BitsToFloat32Bits(bits);
  return table;
})();

/** The value of every float16. */
export const FLOAT16_VALUES = new Float32Array(FLOAT16_BITS.buffer);

/**
 * Rounds float32 values to float16, to nearest even.
 * @param out as many elements as `values`; new when absent.
 */
export function toFloat16(
  values: Float32Array,
  out: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = float32BitsToFloat16Bits(bits[i]!);
  return out;
}

/**
 * Widens float16 bit patterns to float32.
 * @param out as many elements as `values`; new when absent.
 */
export function fromFloat16(
  values: Uint16Array,
  out: Float32Array = new Float32Array(values.length),
): Float32Array {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < values.length; i++) bits[i] = FLOAT16_BITS[values[i]!]!;
  return out;
}

/**
 * Widens bfloat16 bit patterns, the upper halves of float32s.
 * @param out as many elements as `values`; new when absent.
 */
export function fromBfloat16(
  values: Uint16Array,
  out: Float32Array = new Float32Array(values.length),
): Float32Array {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16;
  return out;
}
