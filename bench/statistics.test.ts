import { expect, test } from 'vitest';
import type { Side } from './side.ts';
import { interleave, median, speedRatio } from './statistics.ts';

test('the median of an even count lies between the two in the middle', () => {
  expect(median([4, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('a ratio above one says that the first side is faster, and one noisy pair does not move it', () => {
  expect(speedRatio([10, 10, 90], [20, 20, 180])).toEqual({ ofMedians: 2, perPair: 2 });
});

test('sides take turns, and the first round of each does not count', async () => {
  const order: string[] = [];
  const side = (name: string): Side => ({
    name,
    round: async () => {
      order.push(name);
      return { prefillMs: order.length, decodeMs: order.length };
    },
    close: async () => {},
  });
  const results = await interleave([side('a'), side('b')], 2, 8, 4);
  expect(order.join('')).toBe('ababab');
  expect(results.map((rounds) => rounds.map(({ decodeMs }) => decodeMs))).toEqual([
    [3, 5],
    [4, 6],
  ]);
});
