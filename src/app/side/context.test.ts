import { expect, test } from 'vitest';
import { contextUse } from './context.ts';

test('a context is told as nearly full from four fifths on, and never as more than full', () => {
  expect(contextUse(null, null)).toBeNull();
  expect(contextUse(null, 100)).toEqual({ used: 0, of: 100, nearlyFull: false });
  expect(contextUse(79, 100)?.nearlyFull).toBe(false);
  expect(contextUse(80, 100)?.nearlyFull).toBe(true);
  expect(contextUse(130, 100)?.used).toBe(100);
});
