/** A float64, so that nothing is rounded: 127 − 15, the difference of the exponent biases of the two types. */
const REBIAS = 2 ** 112;
/** 65504, the largest float16, as float32 bits. */
const LARGEST = 0x477fe000;
/** 2⁻¹⁴, the smallest normal float16, as float32 bits. */
const SMALLEST_NORMAL = 0x38800000;

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/**
 * Rounds float32 to float16 bit patterns, to the nearest, ties to even.
 * @param out as many elements as `values`
 * @returns false when a value is not finite or above 65504 in size; `out` is then not complete
 */
export function toFloat16(values: Float32Array, out: Uint16Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const all = bits[i]!;
    const size = all & 0x7fffffff;
    const sign = (all >>> 16) & 0x8000;
    if (size >= SMALLEST_NORMAL) {
      if (size > LARGEST) return false;
      // Just under half of the last kept bit, and that bit: rounds to even, and a carry goes into the exponent.
      out[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    } else {
      // Between 0.5 and 1 the last bit of a float32 is 2⁻²⁴, that of a subnormal float16: the addition rounds.
      scratchBits[0] = size;
      scratch[0] = scratch[0]! + 0.5;
      out[i] = sign | (scratchBits[0]! - 0x3f000000);
    }
  }
  return true;
}

/**
 * Widens float16 bit patterns to float32, exactly.
 * @param out as many elements as `values`
 * @returns false when a value is not finite
 */
export function fromFloat16(values: Uint16Array, out: Float32Array): boolean {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < values.length; i++) {
    const half = values[i]!;
    if ((half & 0x7c00) === 0x7c00) return false;
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    out[i] = out[i]! * REBIAS;
  }
  return true;
}
