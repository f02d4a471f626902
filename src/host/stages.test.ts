import { expect, test } from 'vitest';
import { stagesOf } from './stages.ts';

const part = (start: number, end: number, ends = '') => ({
  start,
  end,
  embed: ends.includes('e'),
  head: ends.includes('h'),
});
const HEAD = part(12, 12, 'h');

test.each([
  ['the main part itself', part(2, 12), part(2, 12), [part(2, 12)], null],
  ['less than the main part', part(4, 9), part(2, 12), [part(4, 9)], null],
  ['the whole model beside it', part(0, 12, 'eh'), part(2, 12), [part(0, 2, 'e'), part(2, 12)], HEAD],
  ['layers on both sides', part(1, 9), part(3, 6), [part(1, 3), part(3, 6), part(6, 9)], null],
  ['with the head alone', part(2, 12, 'h'), part(2, 12), [part(2, 12)], HEAD],
  ['token ids where the main part takes rows', part(0, 12, 'e'), part(0, 12), [part(0, 12, 'e')], null],
  ['rows where the main part takes token ids', part(0, 5), part(0, 5, 'e'), [part(0, 5)], null],
  ['token ids as the main part does', part(0, 8, 'e'), part(0, 5, 'e'), [part(0, 5, 'e'), part(5, 8)], null],
  [
    'the head that the main part has',
    part(2, 12, 'h'),
    part(4, 12, 'h'),
    [part(2, 4), part(4, 12, 'h')],
    null,
  ],
  ['rows where the main part gives logits', part(4, 12), part(4, 12, 'h'), [part(4, 12)], null],
  ['the head without that of the main part', part(6, 12, 'h'), part(4, 12, 'h'), [part(6, 12)], HEAD],
])('%s', (_name, wanted, main, layers, head) => {
  expect(stagesOf(wanted, main, 12)).toEqual({ layers, head });
});
