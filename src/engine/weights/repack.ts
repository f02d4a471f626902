import { EngineError } from '../types.ts';
import { blockSource } from './block-source.ts';
import { BLOCKS } from './blocks.ts';
import { allocate, checkDestination, checkFinite, checkParts, type WeightPart } from './parts.ts';
import { REPACK_FORMS, type RepackTarget } from './repack-blocks.ts';

/** What a quantised matrix becomes, in elements; sizes for a buffer of the caller's. */
export interface QuantisedShape {
  bits: 4 | 8;
  blockSize: 16 | 32;
  /** N: rows of all parts together, the outputs of the product. */
  rows: number;
  /** K: the inputs of the product. */
  columns: number;
  /** Bytes. */
  codes: number;
  /** float32s. */
  scales: number;
  /** float32s; 0 for types without a minimum. */
  offsets: number;
}

/**
 * A matrix for onnxruntime's MatMulNBits. Weight = scale · (code - zero point) + offset, with zero point 8 for 4 bits
 * and 128 for 8 bits, which is the operator's default. The offset rides outside of it:
 * `y = MatMulNBits(x) + ReduceSum(x by blocks of 32) · offsets`.
 */
export interface Quantised {
  bits: 4 | 8;
  blockSize: 16 | 32;
  /** N: rows of all parts together, the outputs of the product. */
  rows: number;
  /** K: the inputs of the product. */
  columns: number;
  /** [N, K / blockSize, blockSize · bits / 8]; of 4 bits, byte j holds weight 2j low and weight 2j + 1 high. */
  codes: Uint8Array;
  /** [N, K / blockSize], exact. */
  scales: Float32Array;
  /**
   * [K / 32, N], or null for types without a minimum. 8 bits: the minimum, exact. 4 bits: 8 · scale + minimum, rounded
   * once to float32, because codes are unsigned and the zero point is not free.
   */
  offsets: Float32Array | null;
}

/** Places for the parts of a `Quantised`, exactly as long as its `QuantisedShape` says. */
export interface QuantisedTarget {
  /** Starts at a multiple of 4 bytes. */
  codes: Uint8Array;
  scales: Float32Array;
  offsets?: Float32Array | null;
}

/**
 * The sizes of what `repack` makes of these parts, or null when they hold plain floats and run dense.
 * @throws EngineError `bad-input`
 */
export function quantisedShape(parts: readonly WeightPart[]): QuantisedShape | null {
  const { rows, columns } = checkParts(parts);
  const { type } = parts[0]!;
  for (const part of parts)
    if (part.type !== type)
      throw new EngineError('bad-input', `cannot join ${type} and ${part.type} rows: repack them apart`);
  const form = REPACK_FORMS[type];
  if (form === null) return null;
  const { bits, blockSize } = form;
  const weights = rows * columns;
  return {
    bits,
    blockSize,
    rows,
    columns,
    codes: (weights * bits) / 8,
    scales: weights / blockSize,
    offsets: form.offsets ? weights / 32 : 0,
  };
}

/**
 * Joins the rows of matrices of one type (fused QKV, gate and up) and repacks them without loss; null for plain floats.
 * @param target where to write, for one large buffer without copies; new arrays when absent
 * @throws EngineError `bad-input` (also NaN or infinity among the scales), `out-of-memory`
 */
export function repack(parts: readonly WeightPart[], target?: QuantisedTarget): Quantised | null {
  const shape = quantisedShape(parts);
  if (shape === null) return null;
  if (target !== undefined) checkTarget(shape, target);
  const { codes, scales, offsets } = target ?? allocateTarget(shape);
  const { type } = parts[0]!;
  const form = REPACK_FORMS[type]!;
  const into: RepackTarget = {
    codes,
    words: new Uint16Array(codes.buffer, codes.byteOffset, codes.length / 2),
    longs: new Uint32Array(codes.buffer, codes.byteOffset, codes.length / 4),
    scales,
    offsets: offsets ?? new Float32Array(0),
    rows: shape.rows,
  };
  const blocks = shape.columns / BLOCKS[type].weights;
  let row = 0;
  for (const part of parts) {
    const source = blockSource(part.bytes);
    for (let i = 0; i < part.rows; i++)
      form.repack(source, (part.rowOrder?.[i] ?? i) * blocks, blocks, into, row++);
  }
  checkFinite(scales);
  if (offsets) checkFinite(offsets);
  return {
    bits: shape.bits,
    blockSize: shape.blockSize,
    rows: shape.rows,
    columns: shape.columns,
    codes,
    scales,
    offsets: form.offsets ? (offsets ?? null) : null,
  };
}

function checkTarget(shape: QuantisedShape, { codes, scales, offsets }: QuantisedTarget): void {
  checkDestination('codes', codes, shape.codes);
  checkDestination('scales', scales, shape.scales);
  checkDestination('offsets', offsets ?? { length: 0 }, shape.offsets);
  if (codes.byteOffset % 4 !== 0)
    throw new EngineError('bad-input', `codes start at byte ${codes.byteOffset}: align them to 4`);
}

function allocateTarget(shape: QuantisedShape): QuantisedTarget {
  const bytes = shape.codes + 4 * (shape.scales + shape.offsets);
  return allocate(bytes, () => ({
    codes: new Uint8Array(shape.codes),
    scales: new Float32Array(shape.scales),
    offsets: shape.offsets > 0 ? new Float32Array(shape.offsets) : null,
  }));
}
