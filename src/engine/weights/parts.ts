import type { TensorType } from '../../model/index.ts';
import { EngineError } from '../types.ts';
import { BLOCKS } from './blocks.ts';

/** One matrix, or a vector as a matrix of one row, in the form it has in a model file. */
export interface WeightPart {
  type: TensorType;
  /** `rows` × `columns` weights, row-major. */
  bytes: Uint8Array;
  rows: number;
  columns: number;
  /** Source row of each output row, `rows` long; default: in order. */
  rowOrder?: Int32Array;
}

/** Rows of all parts together, and their columns. */
export interface PartsShape {
  rows: number;
  columns: number;
}

/** Bytes of one row. @throws EngineError `bad-input` when a row does not fill whole blocks */
export function rowBytes(type: TensorType, columns: number): number {
  const layout = BLOCKS[type];
  if (layout === undefined)
    throw new EngineError('bad-input', `weights of type ${String(type)} do not run: choose another file`);
  if (!Number.isSafeInteger(columns) || columns < 1 || columns % layout.weights !== 0)
    throw new EngineError(
      'bad-input',
      `a row of ${columns} weights is no whole number of ${type} blocks of ${layout.weights}: the file is damaged`,
    );
  return (columns / layout.weights) * layout.bytes;
}

/** Checks that parts are what they say, before anything is allocated. @throws EngineError `bad-input` */
export function checkParts(parts: readonly WeightPart[]): PartsShape {
  const columns = parts[0]?.columns;
  if (columns === undefined) throw new EngineError('bad-input', 'no weights given: pass at least one part');
  let rows = 0;
  for (const part of parts) {
    if (part.columns !== columns)
      throw new EngineError('bad-input', `cannot join rows of ${columns} and of ${part.columns} weights`);
    checkPart(part);
    rows += part.rows;
  }
  return { rows, columns };
}

function checkPart({ type, bytes, rows, columns, rowOrder }: WeightPart): void {
  if (!Number.isSafeInteger(rows) || rows < 1)
    throw new EngineError('bad-input', `a matrix cannot have ${rows} rows: the file is damaged`);
  const needed = rows * rowBytes(type, columns);
  if (bytes.length !== needed)
    throw new EngineError(
      'bad-input',
      `${rows} × ${columns} ${type} weights take ${needed} bytes, not ${bytes.length}: fetch the file again`,
    );
  if (rowOrder === undefined) return;
  if (rowOrder.length !== rows)
    throw new EngineError('bad-input', `the row order names ${rowOrder.length} rows of ${rows}`);
  for (let i = 0; i < rowOrder.length; i++) {
    const row = rowOrder[i]!;
    if (row < 0 || row >= rows)
      throw new EngineError('bad-input', `the row order names row ${row} of a matrix of ${rows} rows`);
  }
}

/** Checks a destination given by the caller. @throws EngineError `bad-input` */
export function checkDestination(name: string, given: { length: number }, needed: number): void {
  if (given.length !== needed)
    throw new EngineError('bad-input', `${name} has room for ${given.length} elements, not ${needed}`);
}

/** Allocates, and says so plainly when the machine cannot. @throws EngineError `out-of-memory` */
export function allocate<T>(bytes: number, create: () => T): T {
  try {
    return create();
  } catch (cause) {
    throw new EngineError(
      'out-of-memory',
      `${bytes} bytes for one matrix are not to be had here: take a smaller slice or model`,
      { cause },
    );
  }
}

/**
 * Throws when a value is NaN or infinite: no back end reports it, and every token after would be nonsense.
 * @throws EngineError `bad-input`
 */
export function checkFinite(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++)
    if ((bits[i]! & 0x7f800000) === 0x7f800000)
      throw new EngineError(
        'bad-input',
        'the weights hold NaN or infinity: the file is damaged, fetch it again',
      );
}

/** The same for float16 bit patterns, where a weight past 65519 has become infinity. */
export function checkFiniteFloat16(values: Uint16Array): void {
  for (let i = 0; i < values.length; i++)
    if ((values[i]! & 0x7c00) === 0x7c00)
      throw new EngineError('bad-input', 'a weight is too large for float16: run this model in float32');
}
