import { expect, test } from 'vitest';
import {
  float16BitsToFloat32Bits,
  float32BitsToFloat16Bits,
  fromBfloat16,
  fromFloat16,
  toFloat16,
} from './float16.ts';
import { randomNumbers } from './testing/generate.ts';

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** The definition: sign · 2^(exponent - 15) · 1.fraction, or subnormal. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

test('every float16 has the value of its definition and comes back bit for bit, NaN payloads too', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const wide = fromFloat16(all);
  for (let bits = 0; bits < 65536; bits++) {
    if (!Object.is(wide[bits], halfValue(bits))) expect.fail(`${bits} became ${wide[bits]}`);
    if (float32BitsToFloat16Bits(float16BitsToFloat32Bits(bits)) !== bits)
      expect.fail(`${bits} did not return`);
  }
  expect(toFloat16(wide)).toEqual(all);
});

test('a float32 rounds to the nearest float16, and a tie to the even one', () => {
  // Between each pair of neighbours: the middle, and one float32 to each side of it.
  for (let low = 0; low < 0x7bff; low++) {
    const middle = bitsOf((halfValue(low) + halfValue(low + 1)) / 2);
    const even = low % 2 === 0 ? low : low + 1;
    const got = [middle - 1, middle, middle + 1].map(float32BitsToFloat16Bits);
    if (got[0] !== low || got[1] !== even || got[2] !== low + 1) expect.fail(`beside ${low}: ${got}`);
    if (float32BitsToFloat16Bits(middle | 0x80000000) !== (even | 0x8000)) expect.fail(`beside -${low}`);
  }
  expect(float32BitsToFloat16Bits(bitsOf(65519.996))).toBe(0x7bff);
  expect(float32BitsToFloat16Bits(bitsOf(65520))).toBe(0x7c00);
  expect(float32BitsToFloat16Bits(bitsOf(3e38))).toBe(0x7c00);
  expect(float32BitsToFloat16Bits(bitsOf(-1e-40))).toBe(0x8000);
  // A NaN whose payload lies in the bits that fall off must not become infinity.
  expect(float32BitsToFloat16Bits(0x7f800001)).toBe(0x7e00);
});

test('the bulk conversions write where they are told and equal the single ones', () => {
  const next = randomNumbers(7);
  const bits = Uint32Array.from({ length: 20_000 }, next);
  const out = new Uint16Array(20_002);
  toFloat16(new Float32Array(bits.buffer), out.subarray(1, 20_001));
  for (let i = 0; i < bits.length; i++) expect(out[i + 1]).toBe(float32BitsToFloat16Bits(bits[i]!));
  expect([out[0], out[20_001]]).toEqual([0, 0]);
});

test('every bfloat16 is the upper half of a float32', () => {
  const wide = fromBfloat16(Uint16Array.from({ length: 65536 }, (_, i) => i));
  const bits = new Uint32Array(wide.buffer);
  for (let i = 0; i < 65536; i++) if (bits[i] !== i * 65536) expect.fail(`${i} became ${bits[i]}`);
});
