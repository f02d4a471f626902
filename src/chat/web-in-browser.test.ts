import type { BrowserContext, JSHandle } from '@playwright/test';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Conversation } from './history.ts';
import { conversation, message } from './testing/conversations.ts';
import { HistoryBrowser } from './testing/history-browser.ts';
import type { IndexedDbHistory } from './web.ts';

let browser: HistoryBrowser;
let context: BrowserContext;
let address: string;
let openTab: HistoryBrowser['openTab'];

beforeAll(async () => {
  browser = await HistoryBrowser.start();
  ({ address, openTab } = browser);
}, 60_000);
afterAll(() => browser?.close());
beforeEach(async () => {
  context = await browser.newProfile();
});

describe('in a browser', { timeout: 30_000 }, () => {
  test('conversations outlast a reload', async () => {
    const { page, history } = await openTab();
    await history.evaluate((h, c) => h.add(c), conversation('a'));
    await page.close();
    const again = await openTab();
    expect(await again.history.evaluate((h) => h.load('a'))).toMatchObject({ id: 'a', count: 2 });
  });

  test('two tabs that write in one conversation lose no message of each other', async () => {
    const [one, two] = [await openTab(), await openTab()];
    await one.history.evaluate((h, c) => h.add(c), conversation('a'));
    const writeAll = (tab: typeof one, name: string) =>
      tab.history.evaluate(
        (h, all) => Promise.all(all.map((each) => h.write('a', { messages: [each] }))),
        Array.from({ length: 20 }, (_, i) => message(`${name}${i}`, 'a')),
      );
    await Promise.all([
      writeAll(one, 'one'),
      writeAll(two, 'two'),
      one.history.evaluate((h) => h.write('a', { header: { pinned: true } })),
      two.history.evaluate((h) => h.write('a', { header: { title: 'mine', renamed: true } })),
    ]);
    const both = await one.history.evaluate((h) => h.load('a'));
    expect(both).toMatchObject({ pinned: true, title: 'mine', count: 42 });
    expect(both?.messages).toHaveLength(42);
  });

  test('a tab hears what another one does, and whether it still writes an answer, however it ends', async () => {
    const [one, two] = [await openTab(), await openTab()];
    const heard = two.history.evaluate(
      (h) =>
        new Promise<string[]>((resolve) => {
          const events: string[] = [];
          h.subscribe((event, here) => {
            events.push(`${event.kind} ${here}`);
            if (events.length === 3) resolve(events);
          });
        }),
    );
    await one.history.evaluate(async (h, c) => {
      await h.add(c);
      await h.remove('a');
      await h.clear();
    }, conversation('a'));
    expect(await heard).toEqual(['changed false', 'removed false', 'cleared false']);

    await one.page.evaluate(`openHistory().hold('answer')`);
    const over = await two.history.evaluateHandle(async (h) => {
      let writer = await h.writer('answer');
      // The lock is asked for in the other process.
      while (!writer) writer = await h.writer('answer');
      return writer;
    });
    await one.page.close();
    await over.evaluate((writer) => writer.over);
    expect(await two.history.evaluate((h) => h.writer('answer'))).toBeNull();
  });

  test('what version 1 kept is taken over, and what cannot be read stays where it was', async () => {
    const page = await context.newPage();
    await page.goto(address);
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.open('shoal-chat', 1);
          request.onupgradeneeded = () => {
            request.result.createObjectStore('summaries', { keyPath: 'id' });
            request.result.createObjectStore('messages', { keyPath: 'id' });
          };
          request.onsuccess = () => {
            const transaction = request.result.transaction(['summaries', 'messages'], 'readwrite');
            for (const [id, updatedAt] of [
              ['a', 5],
              ['b', 9],
            ] as const) {
              const summary = { id, title: `about ${id}`, createdAt: 1, updatedAt, model: 'SmolLM2' };
              const messages = [
                { role: 'user', content: `ask ${id}` },
                { role: 'assistant', content: 'hello', route: 'in this tab' },
              ];
              transaction.objectStore('summaries').put(summary);
              transaction.objectStore('messages').put({ ...summary, messages });
            }
            transaction.objectStore('messages').put({ id: 'odd', messages: 'none' });
            transaction.oncomplete = () => {
              request.result.close();
              resolve();
            };
            transaction.onabort = () => reject(transaction.error);
          };
        }),
    );
    const history = (await page.evaluateHandle('openHistory()')) as JSHandle<IndexedDbHistory>;
    const list = await history.evaluate((h) => h.list());
    expect(list.map(({ id, title, count }) => [id, title, count])).toEqual([
      ['b', 'about b', 2],
      ['a', 'about a', 2],
    ]);
    const old = await history.evaluate((h) => h.load('b'));
    expect(old).toMatchObject({ head: 'v1-1', updatedAt: 9 });
    expect(old?.messages.map(({ content, route }) => [content, route])).toEqual([
      ['ask b', undefined],
      ['hello', 'in this tab'],
    ]);
    const left = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const request = indexedDB.open('shoal-chat');
          request.onsuccess = () => {
            const database = request.result;
            const all = database.transaction('messages').objectStore('messages').getAll();
            all.onsuccess = () => {
              database.close();
              resolve([[...database.objectStoreNames], all.result]);
            };
          };
        }),
    );
    expect(left).toEqual([
      ['conversation-messages', 'conversations', 'messages'],
      [{ id: 'odd', messages: 'none' }],
    ]);
  });

  test('a store that was wiped under the page works on, and shows that it was', async () => {
    const { page, history } = await openTab();
    await history.evaluate((h, c) => h.add(c), conversation('a'));
    const before = await history.evaluate((h) => h.opened);
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase('shoal-chat');
          request.onsuccess = () => resolve();
          request.onerror = () => reject(request.error);
        }),
    );
    expect(await history.evaluate((h) => h.write('a', { header: { pinned: true } }))).toBe(false);
    expect(await history.evaluate((h) => h.opened)).toBeGreaterThan(before);
    expect(await history.evaluate((h, c) => h.add(c), conversation('a'))).toBe(true);
    await history.evaluate((h) => h.remove('a'));
    const opened = await history.evaluate((h) => h.opened);
    expect(await history.evaluate((h) => h.write('a', { header: { pinned: true } }))).toBe(false);
    expect(await history.evaluate((h) => h.opened)).toBe(opened);
  });

  /** The message of the error that a history fails with. */
  const failure = (tab: { history: JSHandle<IndexedDbHistory> }, c: Conversation) =>
    tab.history.evaluate(
      (h, each) => h.add(each).catch((error) => [error.name, error.code, error.message]),
      c,
    );

  test('a full disk, a newer page and an older one are told with what to do', async () => {
    const tab = await openTab();
    await tab.history.evaluate((h) => h.list());
    const devtools = await context.newCDPSession(tab.page);
    const origin = new URL(address).origin;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
    const long = conversation('long', {}, [message('m', null, { content: 'x'.repeat(5_000_000) })]);
    expect(await failure(tab, long)).toEqual([
      'ChatError',
      'history',
      expect.stringContaining('no space left'),
    ]);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
    expect(await failure(tab, conversation('short'))).toBe(true);

    // Something else that does not let go, as a page did that is older than the first version.
    const holder = await openTab();
    await holder.page.evaluate(`new Promise((resolve) => {
      const request = indexedDB.open('shoal-chat', 3);
      request.onupgradeneeded = () => {};
      request.onsuccess = () => { globalThis.held = request.result; resolve(); };
    })`);
    expect(await failure(tab, conversation('b'))).toEqual([
      'ChatError',
      'history',
      expect.stringContaining('Reload this page'),
    ]);
  });

  test('a tab with an older page that does not let go is named, and then waited for no more', async () => {
    const holder = await context.newPage();
    await holder.goto(address);
    await holder.evaluate(`new Promise((resolve) => {
      const request = indexedDB.open('shoal-chat', 1);
      request.onsuccess = () => { globalThis.held = request.result; resolve(); };
    })`);
    const tab = await openTab();
    expect(await failure(tab, conversation('a'))).toEqual([
      'ChatError',
      'history',
      expect.stringContaining('Close that tab'),
    ]);
    await holder.close();
    expect(await failure(tab, conversation('a'))).toBe(true);
  });
});
