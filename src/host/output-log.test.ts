import { describe, expect, test } from 'vitest';
import { decodeHidden, encodeHidden } from '../wire/index.ts';
import { OutputLog } from './output-log.ts';

const WIDTH = 3;
const rows = (count: number, scale = 1) =>
  Float32Array.from({ length: count * WIDTH }, (_, i) => scale * Math.sin(i * 1.7));

describe.each(['fp32', 'fp16', 'int8'] as const)('a log of %s', (dtype) => {
  test('gives any rows in the very bits in which they were sent', () => {
    const log = new OutputLog(WIDTH, 500, dtype);
    const all = rows(300);
    for (let at = 0; at < 300; at += 7) log.append(all.slice(at * WIDTH, Math.min(300, at + 7) * WIDTH));
    expect(log.length).toBe(300);
    expect(log.read(5, 205)).toEqual(encodeHidden(all.slice(5 * WIDTH, 205 * WIDTH), WIDTH, dtype));
  });

  test('forgets what is cut and goes on from there', () => {
    const log = new OutputLog(WIDTH, 500, dtype);
    log.append(rows(9));
    log.truncate(4);
    log.append(rows(2, 3));
    const expected = Float32Array.from([...rows(4), ...rows(2, 3)]);
    expect(log.read(0, 6)).toEqual(encodeHidden(expected, WIDTH, dtype));
  });
});

test('a value that fp16 cannot hold widens the log, and what was sent before stays what it was', () => {
  const log = new OutputLog(WIDTH, 100, 'fp16');
  log.append(rows(4));
  const sent = decodeHidden(log.read(0, 4), [1, 4, WIDTH], 'fp16');
  log.append(rows(1, 1e6));
  expect(log.dtype).toBe('fp32');
  expect(decodeHidden(log.read(0, 4), [1, 4, WIDTH], 'fp32')).toEqual(sent);
  expect(decodeHidden(log.read(4, 5), [1, 1, WIDTH], 'fp32')).toEqual(rows(1, 1e6));
});

test('not-a-number is refused in every type', () => {
  for (const dtype of ['fp32', 'fp16', 'int8'] as const)
    expect(() => new OutputLog(WIDTH, 10, dtype).append(new Float32Array([1, Number.NaN, 2]))).toThrow(
      expect.objectContaining({ name: 'WireError' }),
    );
});
