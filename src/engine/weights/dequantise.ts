import type { TensorType } from '../../model/index.ts';
import { EngineError } from '../types.ts';
import { blockSource } from './block-source.ts';
import { BLOCKS } from './blocks.ts';
import { DECODERS } from './decode.ts';
import { allocate, checkDestination, rowBytes } from './parts.ts';

/**
 * Some rows of a matrix in float32, with llama.cpp's arithmetic bit for bit.
 * @param bytes the whole matrix as in the file: a whole number of rows
 * @param out [rowCount, columns]; new when absent
 * @returns [rowCount, columns], row-major
 * @throws EngineError `bad-input`, `out-of-memory`
 */
export function dequantiseRows(
  type: TensorType,
  bytes: Uint8Array,
  columns: number,
  firstRow: number,
  rowCount: number,
  out?: Float32Array,
): Float32Array {
  const row = rowBytes(type, columns);
  const rows = countRows(type, bytes, row);
  const end = firstRow + rowCount;
  if (
    !Number.isSafeInteger(firstRow) ||
    !Number.isSafeInteger(rowCount) ||
    firstRow < 0 ||
    rowCount < 0 ||
    end > rows
  )
    throw new EngineError('bad-input', `rows ${firstRow} to ${end} are not in a matrix of ${rows} rows`);
  const into = destination(rowCount * columns, out);
  const blocks = rowCount * (columns / BLOCKS[type].weights);
  DECODERS[type](blockSource(bytes.subarray(firstRow * row, end * row)), 0, blocks, into, 0);
  return into;
}

/**
 * The embedding look-up: one row per token id, from the quantised table.
 * @param bytes the whole table as in the file
 * @param out [ids, columns]; new when absent
 * @returns [ids, columns], row-major
 * @throws EngineError `bad-input` (an id that is not in the table), `out-of-memory`
 */
export function embedRows(
  type: TensorType,
  bytes: Uint8Array,
  columns: number,
  ids: ArrayLike<number>,
  out?: Float32Array,
): Float32Array {
  const row = rowBytes(type, columns);
  const rows = countRows(type, bytes, row);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= rows)
      throw new EngineError('bad-input', `token ${id} is not in a vocabulary of ${rows}`);
  }
  const into = destination(ids.length * columns, out);
  // Rows gathered first are aligned and decode in one call.
  const gathered = allocate(ids.length * row, () => new Uint8Array(ids.length * row));
  for (let i = 0; i < ids.length; i++)
    gathered.set(bytes.subarray(ids[i]! * row, (ids[i]! + 1) * row), i * row);
  DECODERS[type](blockSource(gathered), 0, ids.length * (columns / BLOCKS[type].weights), into, 0);
  return into;
}

function countRows(type: TensorType, bytes: Uint8Array, row: number): number {
  if (bytes.length % row !== 0)
    throw new EngineError(
      'bad-input',
      `${bytes.length} bytes are no whole number of ${type} rows of ${row} bytes: fetch the file again`,
    );
  return bytes.length / row;
}

function destination(length: number, out: Float32Array | undefined): Float32Array {
  if (out !== undefined) checkDestination('the destination', out, length);
  return out ?? allocate(length * 4, () => new Float32Array(length));
}
