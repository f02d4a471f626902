import { blockSource } from './block-source.ts';
import { BLOCKS } from './blocks.ts';
import { DECODERS } from './decode.ts';
import { toFloat16 } from './float16.ts';
import {
  allocate,
  checkDestination,
  checkFinite,
  checkFiniteFloat16,
  checkParts,
  type PartsShape,
  type WeightPart,
} from './parts.ts';
import { transposeFloat32, transposeUint16 } from './transpose.ts';

/**
 * `columns-first`: [K, N], the right side of ONNX's MatMul. `rows-first`: [N, K], as in the file.
 * N is the rows of all parts together, K their columns.
 */
export type DenseLayout = 'columns-first' | 'rows-first';

/** Rows decoded at a time: 32 float32s are two cache lines of the output, and 32 rows of 8,192 fit in a level-2 cache. */
const TILE_ROWS = 32;

/** Elements between two rows of a tile beyond its columns: without them, rows of a power of two share cache sets. */
const TILE_PADDING = 16;

/**
 * Matrices of any types, joined by rows, as one float32 matrix.
 * @param out N · K elements, for one large buffer without copies; new when absent
 * @throws EngineError `bad-input` (also NaN or infinity among the weights), `out-of-memory`
 */
export function dense(parts: readonly WeightPart[], layout: DenseLayout, out?: Float32Array): Float32Array {
  const shape = checkParts(parts);
  const { rows, columns } = shape;
  const length = rows * columns;
  if (out !== undefined) checkDestination('the destination', out, length);
  const into = out ?? allocate(length * 4, () => new Float32Array(length));
  if (layout === 'rows-first') decodeInto(parts, shape, into);
  else
    decodeTiles(parts, shape, (tile, stride, row, count) => {
      transposeFloat32(tile, stride, count, columns, into, rows, row);
    });
  return into;
}

/**
 * The same in float16 bit patterns, rounded to nearest even; weights past 65519 become infinity, which is refused.
 * @param out N · K elements; new when absent
 * @throws EngineError `bad-input`, `out-of-memory`
 */
export function denseFloat16(
  parts: readonly WeightPart[],
  layout: DenseLayout,
  out?: Uint16Array,
): Uint16Array {
  const shape = checkParts(parts);
  const { rows, columns } = shape;
  const length = rows * columns;
  if (out !== undefined) checkDestination('the destination', out, length);
  const into = out ?? allocate(length * 2, () => new Uint16Array(length));
  const halves = new Uint16Array(TILE_ROWS * (columns + TILE_PADDING));
  decodeTiles(parts, shape, (tile, stride, row, count) => {
    toFloat16(tile, halves);
    checkFiniteFloat16(halves);
    if (layout === 'columns-first') transposeUint16(halves, stride, count, columns, into, rows, row);
    else
      for (let i = 0; i < count; i++)
        into.set(halves.subarray(i * stride, i * stride + columns), (row + i) * columns);
  });
  return into;
}

/** Decodes all rows one after the other. */
function decodeInto(parts: readonly WeightPart[], { columns }: PartsShape, out: Float32Array): void {
  let at = 0;
  for (const { type, bytes, rows, rowOrder } of parts) {
    const decode = DECODERS[type];
    const blocks = columns / BLOCKS[type].weights;
    const source = blockSource(bytes);
    for (let row = 0; row < rows; row++, at += columns)
      decode(source, (rowOrder?.[row] ?? row) * blocks, blocks, out, at);
  }
  checkFinite(out);
}

/** Decodes up to TILE_ROWS output rows at a time; row i of a tile starts at i · stride. */
function decodeTiles(
  parts: readonly WeightPart[],
  { columns }: PartsShape,
  visit: (tile: Float32Array, stride: number, row: number, count: number) => void,
): void {
  const stride = columns + TILE_PADDING;
  const tile = new Float32Array(TILE_ROWS * stride);
  let row = 0;
  for (const part of parts) {
    const decode = DECODERS[part.type];
    const blocks = columns / BLOCKS[part.type].weights;
    const source = blockSource(part.bytes);
    for (let first = 0; first < part.rows; first += TILE_ROWS) {
      const count = Math.min(TILE_ROWS, part.rows - first);
      for (let i = 0; i < count; i++)
        decode(source, (part.rowOrder?.[first + i] ?? first + i) * blocks, blocks, tile, i * stride);
      checkFinite(tile);
      visit(tile, stride, row, count);
      row += count;
    }
  }
}
