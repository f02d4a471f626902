import { expect, test } from 'vitest';
import { compareTokens } from './agree.ts';

test('a choice that differs counts once, and so does the answer that it is in', () => {
  const lossless = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  expect(compareTokens(lossless, lossless)).toEqual({ equal: 6, all: 6, wholeAnswers: 2 });
  const other = [
    [1, 2, 3],
    [4, 9, 6],
  ];
  expect(compareTokens(lossless, other)).toEqual({ equal: 5, all: 6, wholeAnswers: 1 });
});

test('an answer that ended early does not agree with what it left out', () => {
  expect(compareTokens([[1, 2, 3]], [[1]])).toEqual({ equal: 1, all: 3, wholeAnswers: 0 });
});
