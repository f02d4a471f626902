import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, Splitter } from './blocks.ts';
import { MOST_BLOCKS, MOST_SIGNS } from './caps.ts';

/** Blocks at the end that the line which is being written may still change. */
const MOST_UNSURE = 3;

const kinds = (text: string) => blocksOf(text).map(({ kind }) => kind);
const sources = (blocks: readonly Block[]) => blocks.map(({ source }) => source);

describe('how an answer is cut into blocks', () => {
  it('an empty line parts paragraphs and a heading begins a block of its own', () => {
    expect(sources(blocksOf('One\ntwo\n\nthree\n# Four\nfive'))).toEqual([
      'One\ntwo\n\n',
      'three\n',
      '# Four\nfive',
    ]);
  });

  it('a list stays whole over empty lines, with what is indented below its items', () => {
    const list = 'Items:\n1. One\n\n   more of it\n\n       code\n\n2. Two\n\n   ```js\n   x\n   ```\n\n';
    expect(sources(blocksOf(`${list}After.`))).toEqual([list, 'After.']);
  });

  it('a code fence keeps its text to the character, and ends a paragraph', () => {
    expect(blocksOf('See:\n```js x\n  a <b>\n\n  c\n```\nDone')).toEqual([
      { kind: 'text', source: 'See:\n' },
      {
        kind: 'code',
        source: '```js x\n  a <b>\n\n  c\n```\n',
        code: '  a <b>\n\n  c',
        language: 'js',
        closed: true,
      },
      { kind: 'text', source: 'Done' },
    ]);
  });

  it('a fence that is still open while streaming is code already', () => {
    expect(blocksOf('~~~py\nx = 1')).toMatchObject([{ kind: 'code', code: 'x = 1', closed: false }]);
    expect(blocksOf('```')).toMatchObject([{ kind: 'code', code: '', closed: false }]);
  });

  it('a shorter fence inside a longer one is code, and so is one with words behind it', () => {
    expect(blocksOf('````\n```\n````')).toMatchObject([{ code: '```', closed: true }]);
    expect(blocksOf('```\n``` js\n```')).toMatchObject([{ code: '``` js', closed: true }]);
  });

  it('an indented fence gives its indentation back', () => {
    expect(blocksOf('  ```\n  a\n    b\n c\n  ```')).toMatchObject([{ code: 'a\n  b\nc' }]);
  });

  it('formulas of their own are found in both brackets, on one line or several', () => {
    expect(
      blocksOf('So\n\\[\nx\n- y\n\\]\nand $$z$$\n$$ a $$\n$$\nb\n$$').map((block) =>
        'tex' in block ? block.tex : block.kind,
      ),
    ).toEqual(['text', '\nx\n- y\n', 'text', ' a ', '\nb\n']);
  });

  it('a formula that is not closed is open while it is the last, and text once an empty line came', () => {
    expect(blocksOf('$$\nx +')).toMatchObject([{ kind: 'formula', tex: '\nx +', closed: false }]);
    expect(kinds('\\[sic\n\nand so on')).toEqual(['text', 'text']);
    expect(kinds('$$$ money\n```\ncode\n```')).toEqual(['text', 'code']);
    expect(kinds('\\[a\\] and more')).toEqual(['text']);
  });

  it('nothing is lost, added or changed', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        expect(sources(blocksOf(text)).join('')).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('cut while it grows, an answer has the blocks of the whole, and finished ones stay the same objects', () => {
    fc.assert(
      fc.property(markdown, fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }), (text, steps) => {
        const splitter = new Splitter();
        let before: readonly Block[] = [];
        for (let end = 0, i = 0; end < text.length; i++) {
          end += 1 + steps[i % steps.length]!;
          const blocks = splitter.update(text.slice(0, end));
          expect(blocks).toEqual(blocksOf(text.slice(0, end)));
          const finished = before.slice(0, -MOST_UNSURE);
          for (const [at, block] of finished.entries()) expect(blocks[at]).toBe(block);
          before = blocks;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('another answer in its place starts anew', () => {
    const splitter = new Splitter();
    splitter.update('One\n\nTwo\n\n');
    expect(sources(splitter.update('Else'))).toEqual(['Else']);
  });
});

describe('answers that are made to cost', () => {
  it('while an answer grows, what is finished is not made again', () => {
    const text = 'word word\n\n- a\n\n'.repeat(300);
    const splitter = new Splitter();
    let before: readonly Block[] = [];
    for (let end = 0; end <= text.length; end += 100) {
      const blocks = splitter.update(text.slice(0, end));
      for (let i = 0; i < before.length - MOST_UNSURE; i++)
        if (blocks[i] !== before[i]) expect.fail(`block ${i}`);
      before = blocks;
    }
    expect(before.length).toBeGreaterThan(590);
  });

  it('beyond the caps an answer is plain', () => {
    expect(kinds('>'.repeat(100_000))).toEqual(['plain']);
    expect(kinds('- '.repeat(10_000))).toEqual(['plain']);
    expect(kinds('['.repeat(10_000))).toEqual(['plain']);
    expect(kinds(`a${' x'.repeat(50_000)}`)).toEqual(['plain']);
    expect(kinds('a\n\n'.repeat(500_000))).toHaveLength(MOST_BLOCKS + 1);
    const table = blocksOf(`|a|b|\n|-|-|\n${'|x|y|\n'.repeat(5_000)}`);
    expect(table.length).toBeLessThan(2 + MOST_SIGNS / 1_000);
    expect(table.at(-1)!.kind).toBe('plain');
  });

  it('a million characters of code, formula or words stay a few blocks', () => {
    expect(kinds(`\`\`\`\n${'x = 1\n'.repeat(200_000)}`)).toEqual(['code', 'plain']);
    expect(kinds(`$$\n${'x + \n'.repeat(200_000)}`)).toEqual(['formula']);
    expect(blocksOf('lorem ipsum dolor\n\n'.repeat(60_000)).length).toBeLessThanOrEqual(MOST_BLOCKS + 1);
    expect(kinds('```\n'.repeat(250_000)).length).toBeLessThanOrEqual(MOST_BLOCKS + 1);
  });
});

/** Lines that mean something, in any order. */
const markdown = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['', ' ', '- a', '* b', '1. c', '12', '  d', '    e', '> f', '# g', '```', '```js', '~~~~'],
      ),
      fc.constantFrom(
        ...['$$', '\\[', '\\]', '$$x$$', '\\[y\\]', 'z $$', '| a | b |', '|-|-|', '---', '``', '   ```'],
      ),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 24 },
  )
  .map((lines) => lines.join('\n'));
