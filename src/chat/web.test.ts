import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type JSHandle } from '@playwright/test';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Conversation } from './history.ts';
import { parseConversation } from './history.ts';
import type { IndexedDbHistory } from './web.ts';

const PAGE = `<!doctype html><title>history</title><script type="module">
import { IndexedDbHistory } from '/history.js';
globalThis.chatHistory = new IndexedDbHistory();
</script>`;

let browser: Browser;
let context: BrowserContext;
let server: Server;
let address: string;

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('./web.ts', import.meta.url)),
        formats: ['es'],
        fileName: 'history',
      },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !('output' in bundle)) throw new Error('nothing was built');
  const code = bundle.output[0].code;
  server = createServer((request, response) => {
    const script = request.url === '/history.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? code : PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const own = chromium.executablePath();
  const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    existsSync,
  );
  browser = await chromium.launch({ executablePath: existsSync(own) ? own : system, args: ['--no-sandbox'] });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
});

beforeEach(async () => {
  await context?.close();
  context = await browser.newContext();
});

/** A tab with a history of its own, as the page would make it. */
async function openTab() {
  const page = await context.newPage();
  await page.goto(address);
  const history = (await page.evaluateHandle('chatHistory')) as JSHandle<IndexedDbHistory>;
  return { page, history };
}

const conversation = (id: string, updatedAt: number, content = 'hi'): Conversation => ({
  id,
  title: `about ${id}`,
  createdAt: 1,
  updatedAt,
  model: 'SmolLM2',
  messages: [
    { role: 'user', content },
    { role: 'assistant', content: 'hello', route: 'this tab', figures: { tokens_per_second: 20 } },
  ],
});

describe('conversations', { timeout: 30_000 }, () => {
  test('outlast a reload, newest first', async () => {
    const { page, history } = await openTab();
    await history.evaluate(
      (h, c) => Promise.all(c.map((each) => h.save(each))),
      [conversation('a', 5), conversation('b', 9), conversation('c', 7)],
    );
    await page.close();
    const again = await openTab();
    const list = await again.history.evaluate((h) => h.list());
    expect(list.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(list[0]).not.toHaveProperty('messages');
    expect(await again.history.evaluate((h) => h.load('b'))).toEqual(conversation('b', 9));
    expect(await again.history.evaluate((h) => h.load('none'))).toBeNull();
    await again.history.evaluate((h) => h.remove('b'));
    expect(await again.history.evaluate((h) => h.load('b'))).toBeNull();
    await again.history.evaluate((h) => h.clear());
    expect(await again.history.evaluate((h) => h.list())).toEqual([]);
  });

  test('of two tabs of one profile are all kept', async () => {
    const [one, two] = [await openTab(), await openTab()];
    await one.history.evaluate((h) => h.list());
    await two.history.evaluate((h) => h.list());
    const ids = Array.from({ length: 20 }, (_, i) => i);
    const saveAll = (tab: typeof one, name: string) =>
      tab.history.evaluate(
        (h, all) => Promise.all(all.map((each) => h.save(each))),
        ids.map((i) => conversation(`${name}${i}`, i)),
      );
    await Promise.all([saveAll(one, 'one'), saveAll(two, 'two')]);
    expect((await one.history.evaluate((h) => h.list())).length).toBe(40);
    expect(await one.history.evaluate((h) => h.load('two3'))).toEqual(conversation('two3', 3));
  });

  test('work on after the browser has cleared the page’s storage', async () => {
    const { page, history } = await openTab();
    await history.evaluate((h, c) => h.save(c), conversation('a', 1));
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase('shoal-chat');
          request.onsuccess = () => resolve();
          request.onerror = () => reject(request.error);
        }),
    );
    expect(await history.evaluate((h) => h.list())).toEqual([]);
    await history.evaluate((h, c) => h.save(c), conversation('b', 1));
    expect((await history.evaluate((h) => h.list())).length).toBe(1);
  });
});

test.each([
  null,
  [],
  {},
  { ...conversation('a', 1), id: '' },
  { ...conversation('a', 1), createdAt: 'x' },
  { ...conversation('a', 1), messages: 'x' },
  { ...conversation('a', 1), messages: [{ role: 'root', content: '' }] },
  { ...conversation('a', 1), messages: [{ role: 'user', content: 5 }] },
  { ...conversation('a', 1), messages: [{ role: 'user', content: '', figures: 5 }] },
])('garbage is refused as a conversation (%#)', (garbage) => {
  expect(() => parseConversation(garbage)).toThrow(expect.objectContaining({ code: 'history' }));
});
