import { describe, expect, it } from 'vitest';
import { blocksOf } from './rich-text.ts';

describe('how an answer is cut into blocks', () => {
  it('empty lines part paragraphs and single line breaks stay', () => {
    expect(blocksOf('One\ntwo\n\nthree\n')).toEqual([
      { kind: 'text', text: 'One\ntwo' },
      { kind: 'text', text: 'three' },
    ]);
  });

  it('a code fence keeps its text to the character', () => {
    expect(blocksOf('See:\n```js\n  a <b>\n\n  c\n```\nDone')).toEqual([
      { kind: 'text', text: 'See:' },
      { kind: 'code', language: 'js', text: '  a <b>\n\n  c' },
      { kind: 'text', text: 'Done' },
    ]);
  });

  it('a fence that is still open while streaming is code already', () => {
    expect(blocksOf('```py\nx = 1')).toEqual([{ kind: 'code', language: 'py', text: 'x = 1' }]);
  });

  it('a shorter fence inside a longer one is text of the code', () => {
    expect(blocksOf('````\n```\n````')).toEqual([{ kind: 'code', language: '', text: '```' }]);
  });

  it('a hostile answer of many marks takes linear time', () => {
    const started = performance.now();
    blocksOf('```\n'.repeat(50_000));
    blocksOf(`${'`'.repeat(200_000)}x`);
    blocksOf(`a${' \n'.repeat(50_000)}`);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
