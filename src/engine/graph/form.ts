import type { Precision } from '../types.ts';

/**
 * How a graph is written for a back end.
 *
 * `attention`
 * - `gqa`: onnxruntime's GroupQueryAttention, which on WebGPU writes its cache in place.
 * - `split`: two matrix products, one with the cached positions and one with the new ones. The cache stays in
 *   JavaScript and enters as a view, so nothing is copied per step: on Node CPU a token at 2,000 positions takes
 *   14 ms instead of 115 (SmolLM2-135M, two threads), because the binding copies every output it returns.
 *
 * `linear`
 * - `blocks`: 4- and 8-bit blocks as they are in the file (MatMulNBits).
 * - `dense`: multiplied out at load to the graph's float type; on CPU this is the fast exact form.
 */
export interface GraphForm {
  attention: 'gqa' | 'split';
  linear: 'blocks' | 'dense';
  /** MatMulNBits: 4 rounds activations to int8, 0 keeps them. */
  accuracyLevel: 0 | 4;
  precision: Precision;
  /** Rows of the rope table: the most positions of a session. */
  positions: number;
}
