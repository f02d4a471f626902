import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatHistory, Conversation } from './history.ts';
import { conversation, message } from './testing/conversations.ts';
import { HistoryBrowser } from './testing/history-browser.ts';
import { MemoryHistory } from './testing/memory-history.ts';

let browser: HistoryBrowser;

beforeAll(async () => {
  browser = await HistoryBrowser.start();
}, 60_000);
afterAll(() => browser?.close());
beforeEach(async () => {
  await browser.newProfile();
});

/** Runs a promise of every history in a tab; in the test's own process for the one that the thread's tests use. */
type Run = <T, A>(work: (history: ChatHistory, given: A) => T | Promise<T>, given: A) => Promise<T>;

const places: [string, () => Promise<Run>][] = [
  [
    'in IndexedDB',
    async () => {
      const { history } = await browser.openTab();
      return ((work, given) => history.evaluate(work as never, given)) as Run;
    },
  ],
  [
    'in memory, for tests',
    async () => {
      const history = new MemoryHistory();
      return async (work, given) => structuredClone(await work(history, structuredClone(given)));
    },
  ],
];

describe.each(places)('a history %s', { timeout: 30_000 }, (_, open) => {
  let run: Run;
  beforeEach(async () => {
    run = await open();
  });

  test('gives back what was kept, newest first, and lists it without its messages', async () => {
    const all = [conversation('a', { updatedAt: 5 }), conversation('b', { updatedAt: 9 })];
    expect(await run((h, given) => Promise.all(given.map((each) => h.add(each))), all)).toEqual([true, true]);
    const list = await run((h) => h.list(), null);
    expect(list.map(({ id, count }) => [id, count])).toEqual([
      ['b', 2],
      ['a', 2],
    ]);
    expect(list[0]).not.toHaveProperty('messages');
    const loaded = (await run((h) => h.load('b'), null))!;
    expect({ ...loaded, messages: new Set(loaded.messages) }).toEqual({
      ...all[1],
      messages: new Set(all[1]!.messages),
    });
    expect(await run((h) => h.load('none'), null)).toBeNull();
    await run((h) => h.remove('b'), null);
    expect(await run((h) => h.load('b'), null)).toBeNull();
    await run((h) => h.clear(), null);
    expect(await run((h) => h.list(), null)).toEqual([]);
    expect(await run((h) => h.batch('a', null, 10), null)).toEqual([]);
  });

  test('does not write over a conversation that is here when one of its id is added', async () => {
    await run((h, given) => h.add(given), conversation('a'));
    expect(await run((h, given) => h.add(given), conversation('a', { title: 'other' }, []))).toBe(false);
    expect((await run((h) => h.load('a'), null))?.messages).toHaveLength(2);
  });

  test('takes many at once, each id once, and tells of them once; or none when one is refused', async () => {
    const given = ['a', 'b', 'a', 'c'].map((id) => conversation(id));
    const [added, told, code] = await run(async (h, all) => {
      await h.add(all[1]!);
      const events: unknown[] = [];
      h.subscribe((event) => {
        events.push(event.kind === 'changed' && event.changes.map(({ header }) => header.id));
      });
      const done = await h.addAll(all);
      const bad = [
        { ...all[0]!, id: 'd' },
        { ...all[0]!, id: '' },
      ];
      return [done, events, await h.addAll(bad).catch((error) => error.code)];
    }, given);
    expect(added).toEqual([true, false, false, true]);
    expect(told).toEqual([['a', 'c']]);
    expect(code).toBe('history');
    const kept = await run(async (h) => Promise.all((await h.list()).map(({ id }) => h.load(id))), null);
    expect(kept.map((each) => [each?.id, each?.messages.length]).sort()).toEqual([
      ['a', 2],
      ['b', 2],
      ['c', 2],
    ]);
  });

  test('writes single messages and parts of a header, and counts', async () => {
    await run((h, given) => h.add(given), conversation('a'));
    const writing = { messages: [message('q2', 'a'), message('a', 'q', { content: 'longer' })], removed: [] };
    expect(await run((h, given) => h.write('a', given), { ...writing, header: { pinned: true } })).toBe(true);
    let now = (await run((h) => h.load('a'), null)) as Conversation;
    expect(now).toMatchObject({ title: 'about a', pinned: true, count: 3 });
    expect(now.messages.find(({ id }) => id === 'a')?.content).toBe('longer');
    await run((h, given) => h.write('a', given), { removed: ['q2', 'never was'] });
    now = (await run((h) => h.load('a'), null)) as Conversation;
    expect(now.count).toBe(2);
    expect(now.messages).toHaveLength(2);
    expect((await run((h) => h.list(), null))[0]?.count).toBe(2);
  });

  test('writes nothing for a conversation that is not there', async () => {
    expect(await run((h, given) => h.write('gone', given), { messages: [message('m', null)] })).toBe(false);
    expect(await run((h) => h.list(), null)).toEqual([]);
    expect(await run((h) => h.batch('gone', null, 10), null)).toEqual([]);
  });

  test('reads messages by name and in batches that have each of them once', async () => {
    const messages = Array.from({ length: 25 }, (_, i) => message(`m${i}`, null));
    await run(
      (h, given) => Promise.all([h.add(given[0]!), h.add(given[1]!)]),
      [
        conversation('a', {}, messages),
        // Its keys come right after those of the other.
        conversation('a0', {}, [message('m0', null)]),
      ],
    );
    const named = await run((h) => h.read('a', ['m3', 'none', 'm24']), null);
    expect(named.map(({ id }) => id)).toEqual(['m3', 'm24']);
    const ids = await run(async (h) => {
      const all: string[] = [];
      let after: string | null = null;
      for (;;) {
        const batch = await h.batch('a', after, 10);
        all.push(...batch.map(({ id }) => id));
        if (batch.length < 10) return all;
        after = batch.at(-1)!.id;
      }
    }, null);
    expect(ids.length).toBe(25);
    expect(new Set(ids).size).toBe(25);
  });

  test('refuses what it could not read again', async () => {
    const failed = await run(
      (h, given) =>
        Promise.all([
          h.add({ ...given, id: '' }).catch((error) => error.code),
          h.write('a', { messages: [{ ...given.messages[0]!, content: 5 as never }] }).catch((e) => e.code),
        ]),
      conversation('a'),
    );
    expect(failed).toEqual(['history', 'history']);
  });

  test('tells its changes, and who writes an answer', async () => {
    const told = await run(async (h, given) => {
      const events: string[] = [];
      const off = h.subscribe((event, here) => {
        const changes = event.kind === 'changed' ? event.changes : [];
        const what = changes.map(({ header, messages }) => `${header.id}:${messages.join()}`).join(' ');
        events.push(`${what || event.kind} ${here}`);
      });
      await h.add(given);
      await h.write('a', { messages: [given.messages[1]!] });
      await h.remove('a');
      await h.clear();
      off();
      await h.add(given);
      return events;
    }, conversation('a'));
    expect(told).toEqual(['a:q,a true', 'a:a true', 'removed true', 'cleared true']);
    const writer = await run(async (h) => {
      const release = h.hold('answer');
      const held = await h.writer('answer');
      release();
      await held?.over;
      return [held !== null, await h.writer('answer'), await h.writer('another')];
    }, null);
    expect(writer).toEqual([true, null, null]);
  });
});
