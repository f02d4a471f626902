import { describe, expect, test } from 'vitest';
import { Dice } from '../model/testing/mutate.ts';
import { fromFloat16, toFloat16 } from './float16.ts';
import { decodeHidden, decodeTokens, encodeHidden, encodeTokens, payloadBytes } from './hidden.ts';

const refused = expect.objectContaining({ name: 'WireError', code: 'bad-payload' });

function values(count: number, scale = 1): Float32Array {
  const dice = new Dice(count);
  return Float32Array.from({ length: count }, () => ((dice.below(2 ** 32) / 2 ** 31 - 1) * scale) as number);
}

/** Starts at an odd address, as a payload inside a frame may. */
function unaligned(payload: Uint8Array): Uint8Array {
  const moved = new Uint8Array(payload.length + 1).subarray(1);
  moved.set(payload);
  return moved;
}

describe('float16', () => {
  test('every finite value widens to the value it stands for, and narrows back', () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((h) => (h & 0x7c00) !== 0x7c00);
    const wide = new Float32Array(halves.length);
    expect(fromFloat16(halves, wide)).toBe(true);
    halves.forEach((half, i) => {
      const exponent = (half >> 10) & 31;
      const size =
        exponent === 0 ? (half & 1023) * 2 ** -24 : (1 + (half & 1023) / 1024) * 2 ** (exponent - 15);
      if (!Object.is(wide[i], half & 0x8000 ? -size : size)) throw new Error(`${half} became ${wide[i]}`);
    });
    const back = new Uint16Array(halves.length);
    expect(toFloat16(wide, back)).toBe(true);
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(halves.buffer))).toBe(0);
  });

  test('a value between two goes to the nearest, a tie to the even one', () => {
    const ordered = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    const wide = new Float32Array(ordered.length);
    fromFloat16(ordered, wide);
    for (let i = 0; i + 1 < wide.length; i++) {
      const middle = (wide[i]! + wide[i + 1]!) / 2;
      // A float32 between two neighbours is exact at the tie; one step beside it is not a tie any more.
      const bits = new Uint32Array(Float32Array.of(middle).buffer)[0]!;
      const around = new Float32Array(Uint32Array.of(bits - 1, bits, bits + 1).buffer);
      const out = new Uint16Array(3);
      toFloat16(around, out);
      if (out[0] !== i || out[1] !== i + (i & 1) || out[2] !== i + 1)
        throw new Error(`around ${middle}: ${out}`);
    }
  });

  test.each([65504.004, -65505, 65520, Number.POSITIVE_INFINITY, Number.NaN])('%d does not fit', (value) => {
    expect(toFloat16(Float32Array.of(1, value), new Uint16Array(2))).toBe(false);
    expect(() => encodeHidden(Float32Array.of(1, value), 2, 'fp16')).toThrow(refused);
  });
});

describe('hidden states', () => {
  test('fp32 changes no bit', () => {
    const rows = values(3 * 20, 1e30);
    rows.set([-0, 1e-45, 3.4028234663852886e38], 5);
    const payload = encodeHidden(rows, 20, 'fp32');
    expect(payload.length).toBe(payloadBytes('fp32', 3, 20));
    for (const bytes of [payload, unaligned(payload)]) {
      const back = decodeHidden(bytes, [1, 3, 20], 'fp32');
      expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(rows.buffer))).toBe(0);
      expect(back.buffer).not.toBe(payload.buffer);
    }
  });

  test('fp16 is within half a last bit', () => {
    const rows = values(3 * 21, 100);
    const payload = encodeHidden(rows, 21, 'fp16');
    expect(payload.length).toBe(payloadBytes('fp16', 3, 21));
    for (const bytes of [payload, unaligned(payload)]) {
      const back = decodeHidden(bytes, [1, 3, 21], 'fp16');
      back.forEach((value, i) => {
        expect(Math.abs(value - rows[i]!)).toBeLessThanOrEqual(Math.abs(rows[i]!) * 2 ** -11 + 2 ** -25);
      });
    }
  });

  test("int8 has IntelNav's layout: the scales of all rows, then the rows", () => {
    const payload = encodeHidden(Float32Array.of(127, -63.5, 0, 0, 2, -254), 2, 'int8');
    const scales = new Float32Array(payload.buffer, 0, 3);
    expect([...scales]).toEqual([1, 1, 2]);
    // Halves go away from zero, as Rust rounds.
    expect([...new Int8Array(payload.buffer, 12)]).toEqual([127, -64, 0, 0, 1, -127]);
    expect([...decodeHidden(unaligned(payload), [1, 3, 2], 'int8')]).toEqual([127, -64, 0, 0, 2, -254]);
  });

  test('int8 is within half a step of each row', () => {
    const rows = values(4 * 33, 1e6);
    const back = decodeHidden(encodeHidden(rows, 33, 'int8'), [1, 4, 33], 'int8');
    for (let row = 0; row < 4; row++) {
      const own = rows.subarray(row * 33, row * 33 + 33);
      const step = Math.max(...own.map(Math.abs)) / 127;
      own.forEach((value, i) => {
        expect(Math.abs(back[row * 33 + i]! - value)).toBeLessThan(step * 0.5001);
      });
    }
  });

  test('the smallest rows that int8 can and cannot scale', () => {
    const tiny = Float32Array.of(1e-45, -1e-45);
    expect([...decodeHidden(encodeHidden(tiny, 2, 'int8'), [1, 1, 2], 'int8')].map(Math.abs)).toEqual([0, 0]);
    for (const size of [3.4028234663852886e38, Number.POSITIVE_INFINITY, Number.NaN])
      expect(() => encodeHidden(Float32Array.of(1, size), 2, 'int8')).toThrow(refused);
  });

  test('NaN and infinities are refused from every place of every type', () => {
    for (let at = 0; at < 6; at++) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const rows = values(6);
        rows[at] = bad;
        for (const dtype of ['fp32', 'fp16', 'int8'] as const)
          expect(() => encodeHidden(rows, 3, dtype)).toThrow(refused);
        expect(() => decodeHidden(new Uint8Array(rows.buffer), [1, 2, 3], 'fp32')).toThrow(refused);
      }
      const halves = new Uint16Array(6);
      for (const bad of [0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff]) {
        halves[at] = bad;
        expect(() => decodeHidden(new Uint8Array(halves.buffer), [1, 2, 3], 'fp16')).toThrow(refused);
      }
    }
    for (const scale of [Number.NaN, Number.POSITIVE_INFINITY, -1, 3.4e38]) {
      const payload = encodeHidden(values(6), 3, 'int8');
      new Float32Array(payload.buffer, 0, 2)[1] = scale;
      expect(() => decodeHidden(payload, [1, 2, 3], 'int8')).toThrow(refused);
    }
  });

  test('a length that does not fit, types that are not taken, and part of a row are refused', () => {
    for (const dtype of ['fp32', 'fp16', 'int8'] as const) {
      const right = payloadBytes(dtype, 2, 3);
      for (const length of [0, right - 1, right + 1])
        expect(() => decodeHidden(new Uint8Array(length), [1, 2, 3], dtype)).toThrow(refused);
      expect(() => decodeHidden(new Uint8Array(0), [1, 0, 3], dtype)).toThrow(refused);
      expect(() => encodeHidden(values(5), 3, dtype)).toThrow(refused);
      expect(() => encodeHidden(values(0), 3, dtype)).toThrow(refused);
    }
    expect(() => decodeHidden(new Uint8Array(12), [1, 2, 3], 'bf16')).toThrow(/bf16/);
    expect(() => decodeHidden(new Uint8Array(24), [1, 2, 3], 'tokens')).toThrow(refused);
  });

  test('every bit pattern of int8 decodes to a finite number', () => {
    const payload = new Uint8Array(4 + 256).map((_, i) => i - 4);
    new Float32Array(payload.buffer, 0, 1)[0] = 3.4028234663852886e38 / 128;
    expect(decodeHidden(payload, [1, 1, 256], 'int8').every(Number.isFinite)).toBe(true);
  });
});

test('token ids come back, and what is no id is refused', () => {
  const ids = [0, 1, 49_151, 0xffffffff];
  expect([...decodeTokens(unaligned(encodeTokens(ids)))]).toEqual(ids);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 32]) expect(() => encodeTokens([bad])).toThrow(refused);
  expect(() => decodeTokens(new Uint8Array(5))).toThrow(refused);
});
