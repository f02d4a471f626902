import { describe, expect, it } from 'vitest';
import { closeOpen } from './close-open.ts';

describe('what is still being written', () => {
  const cases: [what: string, source: string, closed: string][] = [
    ['words', 'plain words', 'plain words'],
    ['bold letters', 'so **bol', 'so **bol**'],
    ['bold letters before a space', 'so **bold ', 'so **bold**'],
    ['half a closing mark', 'so **bold*', 'so **bold**'],
    ['a mark with nothing behind it', 'so **', 'so'],
    ['one kind in another', '**a *b', '**a *b***'],
    ['all three stars', '***a', '***a***'],
    ['closed ones', '**a** *b* _c_ ~~d~~', '**a** *b* _c_ ~~d~~'],
    ['struck words', 'a ~~b', 'a ~~b~~'],
    ['a name with underscores', 'snake_case_na', 'snake_case_na'],
    ['a multiplication', '2 * 3', '2 * 3'],
    ['an escaped star', '\\*not', '\\*not'],
    ['code', 'call `fo', 'call `fo`'],
    ['stars in code', 'call `a **b', 'call `a **b`'],
    ['code with a mark inside', 'call ``a ` b', 'call ``a ` b``'],
    ['code that just opens', 'call `', 'call'],
    ['code in bold letters', '**a `b', '**a `b`**'],
    ['half a link', 'see [the page](https://exa', 'see the page'],
    ['half a picture', 'see ![it](https://exa', 'see it'],
    ['a whole link', 'see [it](https://a.b) and **c', 'see [it](https://a.b) and **c**'],
    ['an item that just begins', '- one\n- ', '- one\n'],
    ['a number that may become an item', '1. one\n2', '1. one\n'],
    ['a task that just begins', '- [x] a\n- [', '- [x] a\n'],
    ['an item', '- **one**\n- **two', '- **one**\n- **two**'],
    ['open marks of an item before', '- **one\n- two', '- **one\n- two'],
    ['the head of a table', '| a | b', '| a | b|\n|---|---|'],
    ['the rule of a table', '| a | b |\n|--', '| a | b |\n|---|---|'],
    ['a whole table', '| a |\n|---|\n| c', '| a |\n|---|\n| c'],
  ];
  it.each(cases)('%s', (_what, source, closed) => {
    expect(closeOpen(source)).toBe(closed);
  });

  it('takes linear time for marks without end', () => {
    for (const mark of ['*', '`', '[', '_a ', '`a ``', '[a](', '~~', '| ']) {
      const source = mark.repeat(100_000);
      expect(closeOpen(source).length).toBeLessThanOrEqual(source.length + 1);
    }
  });
});
