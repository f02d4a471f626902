import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SentenceReader, type Spoken } from './sentences.ts';

/** Feeds a text in steps of so many characters. */
function heard(text: string, step = 3): Spoken[] {
  const reader = new SentenceReader();
  const said: Spoken[] = [];
  for (let end = step; end < text.length; end += step) said.push(...reader.read(text.slice(0, end), false));
  return [...said, ...reader.read(text, true)];
}
const words = (text: string, step?: number) =>
  heard(text, step).map((one) => (one.kind === 'text' ? one.text : one.kind === 'code' ? one.lines : 'f'));

describe('an answer is read aloud in whole sentences', () => {
  test('each sentence comes once, when it is complete', () => {
    const reader = new SentenceReader();
    expect(reader.read('The sea ', false)).toEqual([]);
    expect(reader.read('The sea is deep.', false)).toEqual([]);
    expect(reader.read('The sea is deep. And', false)).toEqual([{ kind: 'text', text: 'The sea is deep.' }]);
    expect(reader.read('The sea is deep. And wide', true)).toEqual([{ kind: 'text', text: 'And wide' }]);
    expect(reader.read('The sea is deep. And wide', true)).toEqual([]);
  });

  test('decimals, numbers of a list and abbreviations end no sentence', () => {
    expect(words('It is 3.5 metres, e.g. here. Done.')).toEqual(['It is 3.5 metres, e.g. here.', 'Done.']);
    expect(words('1. First one\n2. Second one')).toEqual(['1. First one', '2. Second one']);
  });

  test('code is named by its lines and not spelled out', () => {
    expect(words('Like this:\n```js\nlet a = 1;\nlet b. c\n```\nThat is all.')).toEqual([
      'Like this:',
      2,
      'That is all.',
    ]);
    // Cut off in the middle.
    expect(words('```\none\ntwo')).toEqual([2]);
    expect(words('~~~\n```\n~~~\nEnd')).toEqual([1, 'End']);
  });

  test('marks of Markdown are not read', () => {
    expect(
      words(
        '## The **deep** sea\n- *one*\n> `two` [three](https://a.example/b)\n\n| a | b |\n|---|---|\n| 1 | 2 |',
      ),
    ).toEqual(['The deep sea', 'one', 'two three', 'a, b', '1, 2']);
    expect(words('snake_case and 2*3*4 stay.')).toEqual(['snake_case and 2*3*4 stay.']);
  });

  test('a sentence without an end is cut between words', () => {
    const text = 'fish '.repeat(400).trim();
    const said = words(text, 50);
    expect(said.length).toBeGreaterThan(2);
    expect(said.join(' ')).toBe(text);
  });

  test('however the text arrives, every word is said exactly once and in order', () => {
    const piece = fc.constantFrom('word', 'Other', ' ', '. ', '! ', '\n', '\n\n', '1. ', 'a.b', '。', '…');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (pieces, step) => {
        const text = pieces.join('');
        const plain = (value: string) => value.replace(/[\s,]+/g, '');
        expect(plain(words(text, step).join(''))).toBe(plain(text));
      }),
    );
  });

  test('a line that never ends comes in pieces, and a whole answer at once costs no more', () => {
    const reader = new SentenceReader();
    const line = 'x'.repeat(400_000);
    let pieces = 0;
    for (let end = 200; end <= line.length; end += 200)
      pieces += reader.read(line.slice(0, end), false).length;
    expect(pieces).toBeGreaterThan(600);
    expect(words('word\n'.repeat(100_000), 500_000)).toHaveLength(100_000);
  });
});
