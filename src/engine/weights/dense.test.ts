import { expect, test } from 'vitest';
import type { TensorType } from '../../model/index.ts';
import { dense, denseFloat16 } from './dense.ts';
import { toFloat16 } from './float16.ts';
import type { WeightPart } from './parts.ts';
import { randomOrder, randomTensor } from './testing/generate.ts';
import { referenceValue } from './testing/reference.ts';

const TYPES: readonly TensorType[] = [
  'F32',
  'F16',
  'BF16',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q8_0',
  'Q4_K',
  'Q5_K',
  'Q6_K',
];

function randomPart(type: TensorType, rows: number, columns: number, seed: number): WeightPart {
  return { type, rows, columns, bytes: randomTensor(type, rows * columns, seed) };
}

/** Without the sign of zero, which exact integers do not have. */
const unsigned = (values: Float32Array): Float32Array => values.map((value) => value + 0);

/** [N, K] of all parts, one weight after the other. */
function reference(parts: readonly WeightPart[]): Float32Array {
  const values: number[] = [];
  for (const { type, bytes, rows, columns, rowOrder } of parts)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        values.push(referenceValue(type, bytes, (rowOrder?.[row] ?? row) * columns + column));
  return unsigned(Float32Array.from(values));
}

function transposed<T extends Float32Array | Uint16Array>(values: T, columns: number): T {
  const rows = values.length / columns;
  const out = values.slice() as T;
  for (let i = 0; i < values.length; i++) out[(i % columns) * rows + Math.floor(i / columns)] = values[i]!;
  return out;
}

test.each(TYPES)(
  '%s, fused and in any row order, becomes the matrix of its weights in both layouts',
  (type) => {
    const columns = type.endsWith('_K') ? 512 : 96;
    const parts = [100, 33, 1].map((rows, i): WeightPart => {
      const part = randomPart(type, rows, columns, i);
      return i === 1 ? part : { ...part, rowOrder: randomOrder(rows, i) };
    });
    const want = reference(parts);
    expect(unsigned(dense(parts, 'rows-first'))).toEqual(want);
    expect(unsigned(dense(parts, 'columns-first'))).toEqual(transposed(want, columns));
  },
);

test('parts of different types join', () => {
  const parts = TYPES.map((type, i) => randomPart(type, 40 + i, 256, i));
  expect(unsigned(dense(parts, 'columns-first'))).toEqual(transposed(reference(parts), 256));
});

test('float16 output is the float32 output rounded to nearest even', () => {
  const parts = [
    randomPart('F16', 35, 96, 1),
    { ...randomPart('F16', 64, 96, 2), rowOrder: randomOrder(64, 2) },
  ];
  const want = toFloat16(reference(parts));
  const unsigned16 = (values: Uint16Array): Uint16Array => values.map((bits) => (bits === 0x8000 ? 0 : bits));
  expect(unsigned16(denseFloat16(parts, 'rows-first'))).toEqual(want);
  expect(unsigned16(denseFloat16(parts, 'columns-first'))).toEqual(transposed(want, 96));
});

test('the result lands in a given place and nowhere else', () => {
  const part = randomPart('Q8_0', 5, 64, 9);
  const wide = new Float32Array(322);
  expect(dense([part], 'columns-first', wide.subarray(1, -1))).toEqual(dense([part], 'columns-first'));
  expect([wide[0], wide.at(-1)]).toEqual([0, 0]);
  const small: WeightPart = { type: 'BF16', rows: 1, columns: 2, bytes: Uint8Array.of(0x80, 0x3f, 0, 0x40) };
  const narrow = new Uint16Array(4);
  denseFloat16([small], 'rows-first', narrow.subarray(1, -1));
  expect([...narrow]).toEqual([0, 0x3c00, 0x4000, 0]);
});

const good: WeightPart = { type: 'F32', rows: 1, columns: 2, bytes: new Uint8Array(8) };
const float32 = (...values: number[]): WeightPart => ({
  ...good,
  bytes: new Uint8Array(Float32Array.of(...values).buffer),
});

test.each<[string, () => unknown]>([
  ['no parts', () => dense([], 'rows-first')],
  ['wrong bytes', () => dense([{ ...good, rows: 2 }], 'columns-first')],
  ['parts of two widths', () => dense([good, { ...good, rows: 2, columns: 1 }], 'columns-first')],
  ['a row order past the end', () => dense([{ ...good, rowOrder: Int32Array.of(1) }], 'columns-first')],
  ['a place of the wrong size', () => dense([good], 'rows-first', new Float32Array(3))],
  ['NaN', () => dense([float32(1, Number.NaN)], 'rows-first')],
  ['infinity', () => dense([float32(Number.NEGATIVE_INFINITY, 1)], 'columns-first')],
  ['a weight too large for float16', () => denseFloat16([float32(70_000, 1)], 'columns-first')],
])('%s: refused as bad input', (_, call) => {
  expect(call).toThrow(expect.objectContaining({ name: 'EngineError', code: 'bad-input' }));
});
