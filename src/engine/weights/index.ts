export { type DenseLayout, dense, denseFloat16 } from './dense.ts';
export { dequantiseRows, embedRows } from './dequantise.ts';
export {
  float16BitsToFloat32Bits,
  float32BitsToFloat16Bits,
  fromBfloat16,
  fromFloat16,
  toFloat16,
} from './float16.ts';
export type { WeightPart } from './parts.ts';
export {
  type Quantised,
  type QuantisedShape,
  type QuantisedTarget,
  quantisedShape,
  repack,
} from './repack.ts';
export { REPACK_FORMS } from './repack-blocks.ts';
export { unpermuteRows } from './rope-rows.ts';
