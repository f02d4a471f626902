import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversation, message } from '../../chat/testing/conversations.ts';
import type { Conversation } from '../../chat/web.ts';
import { JsonExport, markdownOf } from './export.ts';
import { ImportError, parseExport, readExport } from './import.ts';

async function exported(...conversations: Conversation[]): Promise<string> {
  const file = new JsonExport();
  for (const each of conversations) file.add(each);
  return file.done().text();
}

const happened = JSON.stringify({
  route: 'network',
  reason: null,
  privacy: 'private',
  hops: [{ peer: 'p', start: 2, end: 8, path: 'relayed', backend: 'wasm', round_trip_ms: 5 }],
  timings: {
    first_token_ms: 1,
    tokens_per_second: 21,
    compute_ms: 1,
    wire_ms: 1,
    compute_ms_per_token: 3,
    wire_ms_per_token: 2,
  },
  recoveries: 0,
  trace: [{ kind: 'opened', at_ms: 0, ms: 1 }],
  model: 'tiny',
  backend: null,
  promptTokens: 3,
  answerTokens: 4,
});

describe('an exported file', () => {
  test('brings back the same conversations, with every branch', async () => {
    const branched = conversation('b', { pinned: true, system: 'Be short.' }, [
      message('q', null, { attachments: [{ name: 'a.txt', text: '```' }] }),
      message('a', 'q', { role: 'assistant', happened, createdAt: 2 }),
      message('a2', 'q', {
        role: 'assistant',
        state: 'failed',
        error: { code: 'no-peers', message: 'Nobody.' },
      }),
    ]);
    const all = [conversation('a'), branched, conversation('empty', {}, [])];
    const text = await exported(...all);
    // For people and other programs to read.
    expect(JSON.parse(text)).toMatchObject({
      format: 'shoal-conversations/1',
      conversations: [{ id: 'a' }, {}, {}],
    });
    expect(parseExport('x.json', text)).toEqual({ conversations: all, bad: 0, why: null });
    expect(parseExport('x.json', await exported())).toEqual({ conversations: [], bad: 0, why: null });
  });

  test('brings back whatever was said', async () => {
    const said = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string(), fc.nat()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(said, async (parts) => {
        const messages = parts.map(([content, text, n], i) =>
          message(`m${i}`, n % (i + 1) === i ? null : `m${n % (i + 1)}`, {
            content,
            attachments: [{ name: text, text }],
          }),
        );
        const one = conversation('a', { title: parts[0]?.[0].slice(0, 60) ?? '' }, messages);
        expect(parseExport('x', await exported(one)).conversations).toEqual([one]);
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['no JSON', 'hello'],
    ['something else', '{"conversations": []}'],
    ['a list', '[]'],
    ['no conversations', '{"format":"shoal-conversations/1","conversations":5}'],
    ['too many', JSON.stringify({ format: 'shoal-conversations/1', conversations: new Array(1001).fill(0) })],
    ['brackets without end', '['.repeat(1_000_000)],
    ['of tomorrow', '{"format":"shoal-conversations/2","conversations":[]}'],
  ])('that is garbage is refused with what was expected: %s', (_, text) => {
    expect(() => parseExport('x.json', text)).toThrow(ImportError);
    expect(() => parseExport('x.json', text)).toThrow(
      /“x.json” .*(exported here|newer Shoal|more than 1000)/,
    );
  });

  test('with one bad conversation brings the others', async () => {
    const good = JSON.parse(await exported(conversation('a'), conversation('b')));
    good.conversations.splice(1, 0, { id: 'bad', messages: [{}] }, null);
    const { conversations, bad, why } = parseExport('x.json', JSON.stringify(good));
    expect(conversations.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(bad).toBe(2);
    expect(why).toContain('it has no title');
  });

  test('that is larger than any is not read', async () => {
    const film = Object.assign(new File(['x'], 'film.mp4'), { text: () => expect.unreachable() });
    Object.defineProperty(film, 'size', { value: 64 * 1024 * 1024 + 1 });
    await expect(readExport(film)).rejects.toThrow('“film.mp4” is too large: a file may have up to 67.1 MB.');
  });
});

test('as Markdown a conversation has its speakers, how answers came about, and code as it was', () => {
  const code = 'Like so:\n\n```js\nconst a = `*x*`;\n```';
  const one = conversation('a', { title: 'Fish\nand more', system: 'Be short.', head: 'a2' }, [
    message('q', null, { content: 'hi', attachments: [{ name: 'n.txt', text: 'words' }] }),
    message('a1', 'q', { role: 'assistant', content: 'other branch', createdAt: 3 }),
    message('a2', 'q', { role: 'assistant', content: code, happened, createdAt: 2 }),
    message('q2', 'a2', { content: 'and?', createdAt: 4 }),
    message('a3', 'q2', {
      role: 'assistant',
      content: 'half',
      state: 'stopped',
      route: 'in this tab',
      createdAt: 5,
    }),
  ]);
  expect(markdownOf(one)).toBe(`# Fish and more

## System prompt

Be short.

## You

n.txt
\`\`\`
words
\`\`\`

hi

## Shoal

${code}

*over 1 peer (1 relayed) · 21 tokens/s · compute 3.0 ms + wire 2.0 ms per token*

## You

and?

## Shoal

half

*in this tab · This answer was not finished.*
`);
});
