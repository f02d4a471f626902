/**
 * The eight 6-bit scales and eight 6-bit minima of a Q4_K or Q5_K block, packed in 12 bytes: the first four of each in
 * the low bits of bytes 0–7; of the last four, the low nibbles in bytes 8–11 and the two high bits on top of the first
 * (`get_scale_min_k4` in ggml-quants.c).
 */
export function scaleK(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + i]! & 63 : (bytes[at + i + 4]! & 15) | ((bytes[at + i - 4]! >> 6) << 4);
}

/** The minimum beside `scaleK`. */
export function minimumK(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + i + 4]! & 63 : (bytes[at + i + 4]! >> 4) | ((bytes[at + i]! >> 6) << 4);
}
