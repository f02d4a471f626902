import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversation, message } from '../../chat/testing/conversations.ts';
import { MemoryHistory } from '../../chat/testing/memory-history.ts';
import { excerptOf, fold, searchHistory } from './search.ts';

async function search(history: MemoryHistory, text: string, signal = new AbortController().signal) {
  let pauses = 0;
  const told: number[] = [];
  const hits = await searchHistory(
    history,
    await history.list(),
    text,
    signal,
    (found) => told.push(found.length),
    async () => void pauses++,
  );
  return { hits, pauses, told };
}

async function kept(...contents: string[]): Promise<MemoryHistory> {
  const history = new MemoryHistory();
  for (const [i, content] of contents.entries()) {
    const change = { title: `chat ${i}`, updatedAt: 1000 - i };
    await history.add(conversation(`c${i}`, change, [message('m', null, { content })]));
  }
  return history;
}

describe('a search', () => {
  test('finds titles first, then what was said, once for each conversation', async () => {
    const history = await kept('nothing', 'a herring and a Herring', 'chat 0 is a title too');
    const { hits, told } = await search(history, 'herring');
    expect(hits).toEqual([{ id: 'c1', excerpt: 'a herring and a Herring', from: 2, to: 9 }]);
    expect(told).toEqual([1]);
    expect((await search(history, ' chat 0 ')).hits.map(({ id }) => id)).toEqual(['c0', 'c2']);
    expect((await search(history, 'CHAT')).hits.map(({ id }) => id)).toEqual(['c0', 'c1', 'c2']);
    expect((await search(history, 'cod')).hits).toEqual([]);
    expect((await search(history, ' ')).hits).toEqual([]);
  });

  test('does not mind capital letters and accents, and marks what is there', async () => {
    const history = await kept('Où est le CAFÉ?', 'cafe\u0301 noir', 'ΠΟΙΟΣ', '한국어');
    const marked = async (text: string) =>
      (await search(history, text)).hits.map(({ excerpt, from, to }) => excerpt.slice(from, to));
    expect(await marked('cafe')).toEqual(['CAFÉ', 'cafe\u0301']);
    expect(await marked('ou EST')).toEqual(['Où est']);
    expect(await marked('ποιος')).toEqual(['ΠΟΙΟΣ']);
    expect(await marked('국어')).toEqual(['국어']);
  });

  test('ends when it is told to, between two batches', async () => {
    const history = await kept('a', 'b');
    const control = new AbortController();
    control.abort(new Error('newer search'));
    await expect(search(history, 'zebra', control.signal)).rejects.toThrow('newer search');
    expect(history.profile.work.read).toBe(0);
  });

  test('of ten thousand messages reads each once, and lets the page breathe after every two hundred', async () => {
    const history = new MemoryHistory();
    const messages = Array.from({ length: 10_000 }, (_, i) => message(`m${i}`, i === 0 ? null : `m${i - 1}`));
    await history.add(conversation('long', {}, messages));
    const { hits, pauses } = await search(history, 'not to be found');
    expect(hits).toEqual([]);
    expect(history.profile.work.read).toBe(10_000);
    expect(pauses).toBeGreaterThanOrEqual(50);
  });

  test('stops at two hundred hits', async () => {
    const history = await kept(...Array.from({ length: 230 }, () => 'the same'));
    expect((await search(history, 'same')).hits).toHaveLength(200);
    expect(history.profile.work.read).toBe(200);
  });
});

test('an excerpt is a line around the match, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.nat(), fc.nat(40), (text, n, length) => {
      const characters = [...text];
      const first = characters.length > 0 ? n % characters.length : 0;
      const from = characters.slice(0, first).join('').length;
      const to = characters.slice(0, first + length).join('').length;
      const hit = excerptOf(text, from, to);
      expect(hit.excerpt.slice(hit.from, hit.to)).toBe(text.slice(from, to).replace(/\s/g, ' '));
      expect(hit.excerpt).not.toMatch(/[\r\n]/);
      expect(hit.excerpt).not.toMatch(/\p{Surrogate}/u);
      expect(hit.from).toBeLessThanOrEqual(34);
    }),
  );
});

test('folding a text is folding its characters', () => {
  const character = fc.integer({ min: 0, max: 0x2ffff }).filter((code) => code < 0xd800 || code > 0xdfff);
  const text = fc.array(character).map((codes) => String.fromCodePoint(...codes));
  fc.assert(
    fc.property(text, (text) => {
      expect(fold(text)).toBe([...text].map(fold).join(''));
    }),
  );
});
