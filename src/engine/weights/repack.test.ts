import { expect, test } from 'vitest';
import type { TensorType } from '../../model/index.ts';
import type { WeightPart } from './parts.ts';
import { type Quantised, quantisedShape, repack } from './repack.ts';
import { unpermuteRows } from './rope-rows.ts';
import { randomOrder, randomTensor } from './testing/generate.ts';
import { exactValue, exactWeight, type QuantisedType } from './testing/reference.ts';

/** From the table in the description of the formats: bits, block size, has offsets. */
const FORMS: readonly [QuantisedType, 4 | 8, 16 | 32, boolean][] = [
  ['Q4_0', 4, 32, false],
  ['Q4_1', 4, 32, true],
  ['Q5_0', 8, 32, false],
  ['Q5_1', 8, 32, true],
  ['Q8_0', 8, 32, false],
  ['Q4_K', 4, 32, true],
  ['Q5_K', 8, 32, true],
  ['Q6_K', 8, 16, false],
];

function randomPart(type: TensorType, rows: number, columns: number, seed: number): WeightPart {
  return { type, rows, columns, bytes: randomTensor(type, rows * columns, seed) };
}

/** A float32 that is a multiple of 2^-24, as scales, minima and their sums are. BigInt() throws on any other. */
const units = (value: number): bigint => BigInt(value * 2 ** 24);

/**
 * Compares every weight with the exact rational value, in integers.
 *
 * What "exact" means: without offsets, and with 8 bits, scale · (code - zero point) + offset *is* the weight, before
 * any rounding. With 4 bits the offset 8 · scale + minimum is the float32 nearest to its exact value; codes and scales
 * are exact, so all weights of a block are off by that one rounding, the same for each and at most half an ulp of the
 * offset.
 */
function expectExact(parts: readonly WeightPart[], packed: Quantised): void {
  const { bits, blockSize, rows, columns, codes, scales, offsets } = packed;
  let row = 0;
  for (const { type, bytes, rows: partRows, rowOrder } of parts)
    for (let i = 0; i < partRows; i++, row++) {
      const source = rowOrder?.[i] ?? i;
      for (let column = 0; column < columns; column++) {
        const exact = exactWeight(type as QuantisedType, bytes, source * columns + column);
        const index = row * columns + column;
        const code = bits === 8 ? codes[index]! - 128 : ((codes[index >> 1]! >> (4 * (index & 1))) & 15) - 8;
        const scale = units(scales[Math.floor(index / blockSize)]!);
        const offset = offsets?.[Math.floor(column / 32) * rows + row] ?? 0;
        if (bits === 4 && offsets !== null) {
          const wanted = 8n * exact.scale + exact.minimum;
          if (scale !== exact.scale || BigInt(code) + 8n !== exact.code)
            expect.fail(`${type} row ${row}, column ${column}: scale or code differs`);
          if (offset !== Math.fround(Number(wanted) / 2 ** 24))
            expect.fail(
              `${type} row ${row}, column ${column}: offset ${offset} is not the nearest to ${wanted}`,
            );
        } else if (scale * BigInt(code) + units(offset) !== exactValue(exact))
          expect.fail(`${type} row ${row}, column ${column}: ${exactValue(exact)} was not kept`);
      }
    }
  expect(row).toBe(rows);
}

test.each(FORMS)(
  'every weight of %s is kept, as %i bits in blocks of %i',
  (type, bits, blockSize, offsets) => {
    for (const columns of type.endsWith('_K') ? [256, 1536] : [256, 576, 1536]) {
      const part = randomPart(type, 200, columns, columns + 1);
      const packed = repack([part])!;
      expect(packed).toMatchObject({ bits, blockSize, rows: 200, columns });
      expect(packed.codes.length).toBe((200 * columns * bits) / 8);
      expect(packed.scales.length).toBe((200 * columns) / blockSize);
      expect(packed.offsets?.length ?? 0).toBe(offsets ? (200 * columns) / 32 : 0);
      expectExact([part], packed);
    }
  },
);

test.each(FORMS)('%s: fused parts in any row order, at any alignment', (type) => {
  const columns = type.endsWith('_K') ? 512 : 576;
  for (const shift of [0, 1, 2, 3]) {
    const parts = [48, 7, 1].map((rows, i): WeightPart => {
      const part = randomPart(type, rows, columns, 10 * shift + i);
      const bytes = new Uint8Array(part.bytes.length + 4).subarray(shift, shift + part.bytes.length);
      bytes.set(part.bytes);
      return { ...part, bytes, rowOrder: i === 0 ? unpermuteRows(3, 16) : randomOrder(rows, i) };
    });
    expectExact(parts, repack(parts)!);
  }
});

test.each(FORMS)('%s: one large buffer takes the result without a copy', (type) => {
  const part = randomPart(type, 12, 256, 5);
  const shape = quantisedShape([part])!;
  const buffer = new ArrayBuffer(64 + shape.codes + 4 * (shape.scales + shape.offsets));
  const codes = new Uint8Array(buffer, 64, shape.codes);
  const scales = new Float32Array(buffer, 64 + shape.codes, shape.scales);
  const offsets =
    shape.offsets === 0 ? null : new Float32Array(buffer, 64 + shape.codes + 4 * shape.scales, shape.offsets);
  const packed = repack([part], { codes, scales, offsets })!;
  expect(packed.codes).toBe(codes);
  expect(packed).toEqual(repack([part]));
  expect(new Uint8Array(buffer, 0, 64).every((byte) => byte === 0)).toBe(true);
});

test('plain floats are not repacked', () => {
  for (const type of ['F32', 'F16', 'BF16'] as const) expect(repack([randomPart(type, 2, 8, 1)])).toBeNull();
});

test("GGUF's interleaved rows of a head become its two halves", () => {
  expect([...unpermuteRows(2, 6)]).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
});

const good = { type: 'Q4_0', rows: 2, columns: 32, bytes: new Uint8Array(36) } as const satisfies WeightPart;
const misaligned = new Uint8Array(40).subarray(1, 33);

test.each<[string, () => unknown]>([
  ['no parts', () => repack([])],
  ['too few bytes', () => repack([{ ...good, bytes: new Uint8Array(35) }])],
  ['too many bytes', () => repack([{ ...good, bytes: new Uint8Array(37) }])],
  ['columns that fill no block', () => repack([{ ...good, columns: 48 }])],
  ['a fraction of a row', () => repack([{ ...good, rows: 1.5 }])],
  ['no rows', () => repack([{ ...good, rows: 0, bytes: new Uint8Array(0) }])],
  ['absurd sizes', () => repack([{ ...good, rows: 2 ** 52, columns: 2 ** 52 }])],
  ['parts of two types', () => repack([good, { ...good, type: 'Q8_0', bytes: new Uint8Array(68) }])],
  ['parts of two widths', () => repack([good, { ...good, rows: 1, columns: 64 }])],
  ['a row order past the end', () => repack([{ ...good, rowOrder: Int32Array.of(0, 2) }])],
  ['a negative row order', () => repack([{ ...good, rowOrder: Int32Array.of(0, -1) }])],
  ['a short row order', () => repack([{ ...good, rowOrder: Int32Array.of(0) }])],
  ['a place too small', () => repack([good], { codes: new Uint8Array(31), scales: new Float32Array(2) })],
  [
    'a place without offsets',
    () =>
      repack([{ ...good, type: 'Q4_1', bytes: new Uint8Array(40) }], {
        codes: new Uint8Array(32),
        scales: new Float32Array(2),
      }),
  ],
  ['a place at an odd byte', () => repack([good], { codes: misaligned, scales: new Float32Array(2) })],
  ['an infinite scale', () => repack([{ ...good, bytes: new Uint8Array(36).fill(0x7c, 1, 2) }])],
  ['a scale that is no number', () => repack([{ ...good, bytes: new Uint8Array(36).fill(0x7f, 0, 2) }])],
  ['heads of odd size', () => unpermuteRows(2, 5)],
  ['a fraction of a head', () => unpermuteRows(1.5, 4)],
  ['heads without end', () => unpermuteRows(2 ** 40, 64)],
])('%s: refused as bad input', (_, call) => {
  expect(call).toThrow(expect.objectContaining({ name: 'EngineError', code: 'bad-input' }));
});
