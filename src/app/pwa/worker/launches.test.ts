import { describe, expect, it } from 'vitest';
import { keepLaunch, takeLaunches } from './launches.ts';

const ORIGIN = 'https://shoal.example';
const HOUR = 3_600_000;

/** Cache Storage as far as it is used here; Node has none. */
function memory(room = Number.POSITIVE_INFINITY) {
  const entries = new Map<string, Response>();
  const urlOf = (key: RequestInfo | URL) => (key instanceof Request ? key.url : String(key));
  return {
    entries,
    async put(key: RequestInfo | URL, response: Response) {
      const blob = await response.clone().blob();
      if (blob.size > room) throw new DOMException('full', 'QuotaExceededError');
      entries.set(urlOf(key), response);
    },
    match: async (key: RequestInfo | URL) => entries.get(urlOf(key))?.clone(),
    keys: async () => [...entries.keys()].map((url) => new Request(url)),
    delete: async (key: RequestInfo | URL) => entries.delete(urlOf(key)),
  };
}

function form(parts: Record<string, string>, files: readonly File[] = []): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(parts)) data.append(name, value);
  for (const file of files) data.append('files', file);
  return data;
}

describe('what is shared to the page', () => {
  it('is given once, with its names, types and words', async () => {
    const store = memory();
    const files = [
      new File(['# Notes'], 'notes, 2 "copies" ü.md', { type: 'text/markdown' }),
      new File([new Uint8Array([71, 71, 85, 70])], 'tiny.gguf'),
    ];
    const words = { title: 'A page', text: 'https://a.example', url: 'https://a.example' };
    await keepLaunch(store, form(words, files), { origin: ORIGIN, now: 1 });
    const { launched, problem } = await takeLaunches(store, 2);
    expect(problem).toBe(null);
    expect(launched).toHaveLength(1);
    expect(launched[0]!.text).toBe('A page\nhttps://a.example');
    expect(launched[0]!.files.map(({ name, type }) => [name, type])).toEqual([
      ['notes, 2 "copies" ü.md', 'text/markdown'],
      ['tiny.gguf', ''],
    ]);
    expect(await launched[0]!.files[0]!.text()).toBe('# Notes');
    expect((await takeLaunches(store, 3)).launched).toEqual([]);
    expect(store.entries.size).toBe(0);
  });

  it('comes in the order in which it was shared', async () => {
    const store = memory();
    for (const now of [30, 4, 100])
      await keepLaunch(store, form({ text: `at ${now}` }), { origin: ORIGIN, now });
    expect((await takeLaunches(store, 200)).launched.map(({ text }) => text)).toEqual([
      'at 4',
      'at 30',
      'at 100',
    ]);
  });

  it('is refused whole and with its reason when it is too much', async () => {
    const store = memory();
    const many = Array.from({ length: 9 }, (_, i) => new File(['x'], `${i}.txt`));
    await keepLaunch(store, form({ text: 'with it' }, many), { origin: ORIGIN, now: 1 });
    expect(await takeLaunches(store, 2)).toEqual({ launched: [], problem: 'too-large' });
    await keepLaunch(store, form({ text: 'x'.repeat(1_000_001) }), { origin: ORIGIN, now: 1 });
    expect(await takeLaunches(store, 2)).toEqual({ launched: [], problem: 'too-large' });
  });

  it('loses no words when the disk has no room for its files', async () => {
    const store = memory(1_000);
    const files = [new File(['small'], 'a.txt'), new File(['x'.repeat(2_000)], 'b.txt')];
    await keepLaunch(store, form({ text: 'read these' }, files), { origin: ORIGIN, now: 1 });
    expect(await takeLaunches(store, 2)).toEqual({
      launched: [{ text: 'read these', files: [] }],
      problem: 'no-room',
    });
    expect(store.entries.size).toBe(0);
  });

  it('is left alone while it is still on its way in, and deleted when nobody came for it', async () => {
    const store = memory();
    const half = `${ORIGIN}/launched/1000-0f0f/0`;
    await store.put(half, new Response('half'));
    await keepLaunch(store, form({ text: 'old' }), { origin: ORIGIN, now: 1 });
    expect((await takeLaunches(store, 2)).launched).toHaveLength(1);
    expect([...store.entries.keys()]).toEqual([half]);
    await keepLaunch(store, form({ text: 'old' }), { origin: ORIGIN, now: 1 });
    expect(await takeLaunches(store, HOUR)).toEqual({ launched: [], problem: null });
    expect(store.entries.size).toBe(0);
  });

  it('takes nothing out of an entry of another shape', async () => {
    const store = memory();
    for (const [i, body] of ['null', '[]', '{"text":1}', 'no json', '{"text":"x","names":3}'].entries())
      await store.put(`${ORIGIN}/launched/${i}-0f/head`, new Response(body));
    expect(await takeLaunches(store, HOUR)).toEqual({ launched: [], problem: null });
    expect(store.entries.size).toBe(0);
  });
});
