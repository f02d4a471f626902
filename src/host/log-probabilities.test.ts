import { expect, test } from 'vitest';
import { logProbabilities } from './log-probabilities.ts';

test('logarithms of a softmax, likeliest first, of equals the smaller id', () => {
  const logits = Float32Array.from([0, Math.log(3), 0, Math.log(2), 0]);
  const { logprob, top } = logProbabilities(logits, 3, 3);
  expect(logprob).toBeCloseTo(Math.log(2 / 8), 6);
  expect(top.map(({ id }) => id)).toEqual([1, 3, 0]);
  expect(Math.exp(top[0]!.logprob)).toBeCloseTo(3 / 8, 6);
  expect(logProbabilities(logits, 0, 0).top).toEqual([]);
  expect(logProbabilities(logits, 0, 20).top).toHaveLength(5);
});

test('are exact over a large vocabulary and far logits', () => {
  const logits = new Float32Array(150_000).fill(-3);
  logits[77] = 500;
  logits[5] = Number.NEGATIVE_INFINITY;
  expect(logProbabilities(logits, 77, 1)).toEqual({ logprob: 0, top: [{ id: 77, logprob: 0 }] });
  // Messages carry numbers only: what has no probability at all gets the least of them.
  expect(logProbabilities(logits, 5, 0).logprob).toBe(-3.4e38);
  const flat = new Float32Array(150_000);
  expect(logProbabilities(flat, 1, 0).logprob).toBeCloseTo(-Math.log(150_000), 12);
});
