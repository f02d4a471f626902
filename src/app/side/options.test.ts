import { expect, test } from 'vitest';
import { estimateTokens, NO_OPTIONS, ownOptions } from './options.ts';

test('only what a chat has of its own is counted', () => {
  expect(ownOptions(NO_OPTIONS)).toBe(0);
  expect(ownOptions({ ...NO_OPTIONS, system: '  \n' })).toBe(0);
  expect(ownOptions({ ...NO_OPTIONS, system: 'Be short.', temperature: 0, seed: 0 })).toBe(3);
});

test('the estimate of tokens is near four characters each, and one each in scripts that share less', () => {
  expect(estimateTokens('')).toBe(0);
  expect(estimateTokens('The quick brown fox jumps over the lazy dog')).toBe(11);
  expect(estimateTokens('魚は群れで泳ぐ')).toBe(7);
  expect(estimateTokens('🐟🐟')).toBe(2);
});
