import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newMessage } from './open-chat.ts';
import { requestMessages, withAttachments } from './request.ts';
import { titleOf } from './title.ts';

test('the model reads the system prompt, then what was said, without answers that have no word', () => {
  const branch = [
    newMessage('user', null, { content: 'hi' }),
    newMessage('assistant', 'x', { content: '', state: 'failed' }),
    newMessage('user', 'x', { content: 'again' }),
  ];
  expect(requestMessages('  ', branch)).toEqual([
    { role: 'user', content: 'hi' },
    { role: 'user', content: 'again' },
  ]);
  expect(requestMessages('Be short.', branch)[0]).toEqual({ role: 'system', content: 'Be short.' });
});

describe('an attached file', () => {
  test('comes before its question, under its name', () => {
    expect(withAttachments('What is it?', [{ name: 'a b.txt', text: 'one\ntwo' }])).toBe(
      'a b.txt\n```\none\ntwo\n```\n\nWhat is it?',
    );
    expect(withAttachments('', [{ name: ' \n', text: 'x\n' }])).toBe('file\n```\nx\n```\n\n');
  });

  test('cannot end its own fence, whatever is in it', () => {
    const text = fc.array(fc.constantFrom('`', '``', '```', '\n', 'a', ' '), { maxLength: 30 });
    fc.assert(
      fc.property(text, (parts) => {
        const lines = withAttachments('Q', [{ name: 'f', text: parts.join('') }]).split('\n');
        const fence = lines[1]!;
        expect(fence).toMatch(/^`{3,}$/);
        expect(lines.filter((line) => line.startsWith(fence))).toHaveLength(2);
      }),
    );
  });
});

describe('a title', () => {
  test('is the question, cut at the end of a word', () => {
    expect(titleOf('  What is\n a shoal? ')).toBe('What is a shoal?');
    expect(titleOf('How does a shoal of fish know where to turn, when nobody leads it?')).toBe(
      'How does a shoal of fish know where to turn, when nobody…',
    );
    expect(titleOf('')).toBe('');
  });

  test('is short and one line for whatever is asked, and cuts no character in two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (question) => {
        const title = titleOf(question.repeat(3));
        expect(title.length).toBeLessThanOrEqual(61);
        expect(title).not.toContain('\n');
        expect(title).not.toMatch(/\p{Surrogate}/u);
      }),
    );
    expect(titleOf(`a${'🐟'.repeat(100)}`)).not.toMatch(/\p{Surrogate}/u);
  });
});
