import { expect, test } from 'vitest';
import type { TensorType } from '../../model/index.ts';
import { dequantiseRows, embedRows } from './dequantise.ts';
import { randomTensor } from './testing/generate.ts';
import vectors from './testing/gguf-vectors.json' with { type: 'json' };
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

/** 576 is SmolLM2's width, no multiple of 256. */
const widths = (type: TensorType): number[] => (type.endsWith('_K') ? [256, 1536] : [32, 576, 1536]);

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

/** Compares bits, and names the first weight that differs. */
function expectSame(got: Float32Array, want: (index: number) => number): void {
  for (let i = 0; i < got.length; i++)
    if (got[i] !== want(i)) expect.fail(`weight ${i} is ${got[i]}, not ${want(i)}`);
}

test.each(Object.entries(vectors.types))(
  '%s decodes as the gguf package of llama.cpp',
  (type, { bytes, values }) => {
    const block = bytesOf(bytes);
    const want = new Float32Array(bytesOf(values).buffer);
    expectSame(dequantiseRows(type as TensorType, block, want.length, 0, 1), (i) => want[i]!);
    for (let i = 0; i < want.length; i++)
      expect(referenceValue(type as TensorType, block, i)).toBe(want[i]! + 0);
  },
);

test.each(TYPES)('every weight of %s equals the exact value rounded once', (type) => {
  for (const columns of widths(type)) {
    const bytes = randomTensor(type, 200 * columns, columns);
    expectSame(dequantiseRows(type, bytes, columns, 0, 200), (i) => referenceValue(type, bytes, i));
  }
});

test.each(TYPES)('some rows of %s, at any alignment, into a given place', (type) => {
  const columns = widths(type).at(-1)!;
  const bytes = randomTensor(type, 9 * columns, 3);
  const whole = dequantiseRows(type, bytes, columns, 0, 9);
  for (const shift of [0, 1, 2, 3]) {
    const moved = new Uint8Array(bytes.length + 4).subarray(shift, shift + bytes.length);
    moved.set(bytes);
    const out = new Float32Array(3 * columns + 2);
    dequantiseRows(type, moved, columns, 5, 3, out.subarray(1, -1));
    expect(out.subarray(1, -1)).toEqual(whole.subarray(5 * columns, 8 * columns));
    expect([out[0], out.at(-1)]).toEqual([0, 0]);

    const ids = [8, 0, 3, 3];
    const embedded = embedRows(type, moved, columns, ids);
    for (let i = 0; i < ids.length; i++)
      expect(embedded.subarray(i * columns, (i + 1) * columns)).toEqual(
        whole.subarray(ids[i]! * columns, (ids[i]! + 1) * columns),
      );
  }
});

test.each([
  ['bytes that are no whole rows', () => dequantiseRows('Q4_0', new Uint8Array(19), 32, 0, 1)],
  ['columns that fill no block', () => dequantiseRows('Q4_K', new Uint8Array(324), 576, 0, 1)],
  ['no columns', () => dequantiseRows('F32', new Uint8Array(0), 0, 0, 0)],
  ['half a column', () => dequantiseRows('F32', new Uint8Array(8), 0.5, 0, 1)],
  ['a row past the end', () => dequantiseRows('Q4_0', new Uint8Array(36), 32, 1, 2)],
  ['a row before the start', () => dequantiseRows('Q4_0', new Uint8Array(36), 32, -1, 1)],
  ['a fraction of a row', () => dequantiseRows('Q4_0', new Uint8Array(36), 32, 0.5, 1)],
  ['billions of rows', () => dequantiseRows('Q4_0', new Uint8Array(18), 32, 0, 2 ** 40)],
  [
    'a place of the wrong size',
    () => dequantiseRows('Q4_0', new Uint8Array(18), 32, 0, 1, new Float32Array(31)),
  ],
  ['an unknown type', () => dequantiseRows('IQ2_S' as TensorType, new Uint8Array(18), 32, 0, 1)],
  ['a token past the vocabulary', () => embedRows('Q4_0', new Uint8Array(36), 32, [0, 2])],
  ['a negative token', () => embedRows('Q4_0', new Uint8Array(36), 32, [-1])],
  ['a token that is no number', () => embedRows('Q4_0', new Uint8Array(36), 32, [Number.NaN])],
])('%s: refused as bad input', (_, call) => {
  expect(call).toThrow(expect.objectContaining({ name: 'EngineError', code: 'bad-input' }));
});
