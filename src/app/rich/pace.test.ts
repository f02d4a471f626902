import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

it('what is dear to parse is parsed seldomer, but never stands for more than a second', () => {
  const pace = new Pace();
  expect(pace.wait(0)).toBe(0);
  pace.parsed(1_000, 1);
  expect(pace.wait(1_005)).toBe(7);
  expect(pace.wait(1_012)).toBe(0);
  pace.parsed(2_000, 50);
  expect(pace.wait(2_000)).toBe(600);
  pace.parsed(3_000, 5_000);
  expect(pace.wait(3_000)).toBe(1_000);
  expect(pace.wait(4_000)).toBe(0);
});
