import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AddressRate } from './rate.ts';

// Time is made to stand still, so that no window ends by itself.
beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const takes = async (rate: AddressRate, address: string, times: number) => {
  let allowed = 0;
  for (let i = 0; i < times; i++) if ((await rate.take(address)) === 0) allowed++;
  return allowed;
};

it('each address has its share per window, and is told when the next begins', async () => {
  const rate = new AddressRate({ points: 5, seconds: 60 });
  expect(await takes(rate, 'a', 9)).toBe(5);
  expect(await takes(rate, 'b', 9)).toBe(5);
  vi.advanceTimersByTime(45_000);
  expect(await rate.take('a')).toBe(15_000);
  vi.advanceTimersByTime(15_001);
  expect(await takes(rate, 'a', 9)).toBe(5);
});

it('a hundred thousand addresses cost no more than the cap, and those already known keep their share', async () => {
  const rate = new AddressRate({ points: 2, seconds: 60, addresses: 100 });
  expect(await takes(rate, 'known', 1)).toBe(1);
  let allowed = 0;
  for (let i = 0; i < 100_000; i++) if ((await rate.take(`flood ${i}`)) === 0) allowed++;
  expect(rate.size).toBe(100);
  // 99 of their own with one each, and 256 shared counts of two.
  expect(allowed).toBeLessThanOrEqual(99 + 256 * 2);
  expect(await takes(rate, 'known', 9)).toBe(1);
  vi.advanceTimersByTime(60_001);
  expect(await takes(rate, 'new', 9)).toBe(2);
  expect(rate.size).toBe(1);
});
