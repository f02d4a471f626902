import { readdirSync, readFileSync } from 'node:fs';
import { type Browser, expect, test } from '@playwright/test';
import { Tokenizer } from '../src/chat/index.ts';
import { defaultModelHeader } from '../src/model/testing/default-model.ts';
import { tokenizerSpecFromGguf } from '../src/model/tokenizer/index.ts';
import { readable } from '../src/sdk/testing/readable.ts';
import { ChatPage } from './chat-page.ts';
import { TestRelay } from './network/relay.ts';
import { Tab } from './network/tab.ts';
import { identified } from './privacy/identified.ts';
import { kept } from './privacy/kept.ts';
import { type Asked, Outgoing } from './privacy/outgoing.ts';
import { tell } from './told-answer.ts';

/** The numbers in names of steps are those of the statements in docs/privacy.md. */
const SYSTEM = 'Answer briefly, like a lighthouse keeper named Quentin.';
const LOCAL = 'Explain why my neighbour Leopold painted his garage yellow.';
const SECRET = 'Nobody may know that I lost my passport in Bolivia yesterday.';
const LIGHT = 'Advise me whether Mongolia is cheaper than Portugal in winter.';
const DRAFT = 'Zanzibar is where the treasure lies';
const RICH =
  'A picture: ![of a cat](https://far.example/cat.png), a formula: $x^2$, code:\n\n```js\nlet a = 1;\n```\n';

/** What browsers send with every request, whatever the site. */
const OF_EVERY_SITE =
  /^(accept(-encoding|-language)?|cache-control|connection|host|if-(none-match|modified-since|range)|origin|pragma|priority|purpose|range|referer|sec-.*|service-worker|upgrade-insecure-requests|user-agent)$/;
/** Messages of Shoal are CBOR with this in it, except greetings; those have the other. */
const OF_A_SESSION = 'session_id';
const OF_A_GREETING = 'supported_quants';

/** Where the share view tells of each field that a tab answers with to whoever asks. */
const SAID: Record<string, string> = {
  'offers.cid': 'the model and layers',
  'offers.start': 'the model and layers',
  'offers.end': 'the model and layers',
  'offers.embed': 'the model and layers',
  'offers.head': 'the model and layers',
  'offers.loaded': 'what is loaded',
  'offers.load_ms': 'how long that took',
  'offers.arithmetic': 'the back end and its arithmetic',
  'offers.precision': 'the back end and its arithmetic',
  'offers.backend': 'the back end and its arithmetic',
  'offers.max_tokens': 'the most tokens of a conversation',
  'offers.free_blocks': 'free room',
  'offers.sessions': 'how many conversations are open',
  'offers.decode_ms': 'how fast it is',
  'offers.prefill_ms': 'how fast it is',
  'offers.draining': 'whether it is stopping',
  'offers.positions': 'how many tokens it computed',
  'links.peer': 'which peers this tab is linked to',
  'links.path': 'directly or by a relay',
  'links.round_trip_ms': 'the round trip of each link',
};

/** Those fields, as the document names them: what is loaded is one thing. */
function toldWhenAsked(): string[] {
  const row = /^\| `hello` \|.*$/m.exec(readFileSync('docs/privacy.md', 'utf8'))![0];
  const named = [...row.matchAll(/`((?:offers|links)\.\w+)`/g)].map(([, name]) => name!);
  return named.sort();
}

/** Files of the page, and what a relay has besides: nothing else is asked for. */
function isAllowed({ pathname }: URL): boolean {
  const files = readdirSync('dist', { recursive: true }).map((name) => `/${name}`);
  if (['/', '/sw.js', '/network.json', '/v1/network', '/v1/network/live'].includes(pathname)) return true;
  return pathname.startsWith('/models/') || files.includes(pathname);
}

async function lend(browser: Browser, relay: string, start: number, end: number): Promise<Tab> {
  const tab = await Tab.open(browser, relay);
  // Room for the embedding or the head as well, which light mode runs at the peers.
  await tab.share(start, end, 2 ** 30);
  return tab;
}

test('what leaves a tab, over a visit to everything, is what docs/privacy.md says', async ({
  browser,
}, info) => {
  test.setTimeout(300_000);
  const tokenizer = new Tokenizer(tokenizerSpecFromGguf((await defaultModelHeader()).metadata)!);
  const ids = (text: string) => tokenizer.encode(text, { special: false });
  const relay = await TestRelay.start('none');
  const context = await browser.newContext({ baseURL: relay.url, viewport: { width: 1100, height: 800 } });
  const out = await Outgoing.begin(context);
  const page = out.page;
  const chat = new ChatPage(page);
  let lenders: Tab[] = [];
  /** Every byte of the visit, looked through at its end for what must be in none of it. */
  const all: Buffer[] = [];
  const traffic = async () => {
    const now = await out.traffic();
    all.push(now);
    return now;
  };
  const view = (name: string) => page.getByRole('link', { name, exact: true }).click();
  const peer = () => page.evaluate(() => window.shoal.membership.get().peer!);
  const asks = (path: string) => out.asked.filter(({ url }) => url.pathname === path).length;
  try {
    await page.addInitScript(
      (value) => {
        if (!localStorage.getItem('shoal.settings')) localStorage.setItem('shoal.settings', value);
      },
      JSON.stringify({
        temperature: 0,
        maxTokens: 13,
        route: 'local',
        share: { power: 'full', memoryMb: 512 },
      }),
    );
    await page.goto('/');
    await chat.ready();
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
    await page.evaluate(() => window.shoal.join());
    lenders = await Promise.all([lend(browser, relay.url, 0, 16), lend(browser, relay.url, 14, 30)]);

    await test.step('the picture asks the relay while it is shown, and the tab greets those who lend (30, 31)', async () => {
      expect(asks('/v1/network/live')).toBe(0);
      await traffic();
      const live = page.waitForRequest(/\/v1\/network\/live$/);
      await view('Network');
      const request = await live;
      const ended = page.waitForEvent('requestfailed', (one) => one === request);
      for (const lender of lenders) {
        const { self } = await lender.network();
        await expect(page.getByRole('table', { name: 'Peers' })).toContainText(self!.peer.slice(-6));
      }
      let seen = Buffer.alloc(0);
      const greets = async () => {
        seen = Buffer.concat([seen, await traffic()]);
        return seen.includes(OF_A_GREETING);
      };
      await expect.poll(greets).toBe(true);
      expect(seen.includes(OF_A_SESSION)).toBe(false);
      await view('Settings');
      await ended;
      await view('Chat');
    });

    await test.step('identify tells protocols, addresses and the version, not the browser (3)', async () => {
      const { addresses, id } = await page.evaluate(() => {
        const { addresses, peer } = window.shoal.membership.get();
        return { addresses, id: peer };
      });
      const circuit = addresses.find((address) => !address.includes('/webrtc'))!;
      const { agentVersion, protocols, listenAddrs } = await identified(
        circuit.includes('/p2p-circuit/p2p/') ? circuit : `${circuit}/p2p/${id}`,
      );
      expect(agentVersion).toMatch(/^shoal\/[\d.]+$/);
      expect(protocols.length).toBeGreaterThan(2);
      for (const address of listenAddrs) expect(addresses.map(stem)).toContain(stem(String(address)));
    });

    const options = async () => {
      await page.getByRole('button', { name: 'Chat options' }).click();
      await page.getByRole('textbox', { name: 'System prompt' }).fill(SYSTEM);
      await page.keyboard.press('Escape');
    };

    await test.step('an answer in this tab sends nothing of its own (11)', async () => {
      await options();
      await expect(
        page.getByText('nothing that you write leaves it', { exact: false }).first(),
      ).toBeVisible();
      await traffic();
      const from = out.asked.length;
      await chat.ask(LOCAL);
      await expect(chat.answers.last()).toContainText('in this tab');
      const sent = await traffic();
      expect(sent.includes(OF_A_SESSION) || sent.includes(OF_A_GREETING)).toBe(false);
      expect(readable(sent, `${SYSTEM} ${LOCAL} ${await chat.lastAnswer()}`, ids(LOCAL))).toEqual([]);
      // Signs of life only: a single row of hidden states has 2,304 bytes.
      const pieces = out.parts.map(({ length }) => length);
      expect(pieces.length).toBeGreaterThan(0);
      expect(Math.max(...pieces)).toBeLessThan(2048);
      expect(await left(out.asked.slice(from))).toEqual([]);
    });

    await test.step('what is in an answer makes the page fetch nothing (10)', async () => {
      const from = out.asked.length;
      await page.evaluate(() => Object.assign(window, { create: window.shoal.chat.completions.create }));
      await tell(page, { text: RICH });
      await chat.ask('A picture?');
      await expect(chat.answers.last().locator('math')).toBeAttached();
      await expect(chat.answers.last().getByRole('link', { name: 'Picture: of a cat' })).toBeVisible();
      await expect(chat.answers.last().locator('.rich-keyword').first()).toBeVisible();
      await page.evaluate(() =>
        Object.assign(window.shoal.chat.completions, { create: Reflect.get(window, 'create') }),
      );
      expect(await left(out.asked.slice(from))).toEqual([]);
      await chat.newChat();
    });

    const note = page.getByRole('note').filter({ has: page.getByRole('button', { name: /^How/ }) });

    await test.step('private: told before, and neither text nor token ids leave (8, 9, 12, 14)', async () => {
      await page.getByRole('combobox', { name: 'Route' }).selectOption('network');
      await options();
      await expect(note).toContainText('one who tries can recover a part of the text, or all of it');
      await expect(note).toHaveClass(/first/);
      expect((await traffic()).includes(OF_A_SESSION)).toBe(false);
      const said = await chat.ask(SECRET);
      await expect(chat.answers.last()).toContainText(/over \d peers?/);
      const sent = await traffic();
      // The hidden states did go out, over this recorder.
      expect(sent.includes('forward_hidden')).toBe(true);
      expect(sent.length).toBeGreaterThan(ids(SECRET).length * 576 * 4);
      expect(readable(sent, `${SYSTEM} ${SECRET} ${said}`, ids(SECRET))).toEqual([]);
      expect(readable(sent, '', ids(SYSTEM))).toEqual([]);
      if (ids(said).length > 4) expect(readable(sent, '', ids(said))).toEqual([]);
    });

    await test.step('light: told before, and the ids leave, which the recorder sees (12, 21)', async () => {
      await page.getByRole('combobox', { name: 'Privacy' }).selectOption('light');
      await expect(note).toContainText('the first and the last peer can read the conversation');
      await expect(note).toHaveClass(/first/);
      expect((await traffic()).includes('sampling')).toBe(false);
      await chat.ask(LIGHT);
      const frames = Buffer.concat(out.frames);
      const sent = await traffic();
      for (const text of [SYSTEM, SECRET, LIGHT]) expect(readable(sent, '', ids(text))).not.toEqual([]);
      // What goes over the relay is encrypted.
      expect(readable(frames, `${SYSTEM} ${LIGHT}`, ids(LIGHT))).toEqual([]);
      await chat.box.fill(DRAFT);
    });

    await test.step('sharing: others see the end of the id, layers and no address; it ends with the switch (26, 30)', async () => {
      const id = await peer();
      const state = async () => (await (await fetch(`${relay.url}/v1/network`)).text()) as string;
      const lends = async () =>
        (JSON.parse(await state()) as { hosts: { peer: string }[] }).hosts.some((one) =>
          id.endsWith(one.peer),
        );
      expect(await lends()).toBe(false);
      await view('Share');
      const list = page.getByRole('region', { name: 'What others learn about this device' });
      expect(Object.keys(SAID).sort()).toEqual(toldWhenAsked());
      for (const said of Object.values(SAID)) await expect(list).toContainText(said);
      const share = page.getByRole('switch', { name: 'Share this device' });
      await share.check();
      await expect(page.getByRole('status', { name: 'Sharing' })).toHaveText(/^Sharing\./, {
        timeout: 120_000,
      });
      await expect.poll(lends).toBe(true);
      const told = await state();
      expect(told).toContain(id.slice(-8));
      const others = await Promise.all(lenders.map(async (lender) => (await lender.network()).self!.peer));
      for (const whole of [id, ...others]) expect(told).not.toContain(whole);
      expect(told).not.toMatch(/\/ip[46]\/|127\.0\.0\.1|p2p-circuit|certhash/);
      await share.uncheck();
      await expect(page.getByRole('status', { name: 'Sharing' })).toHaveText(/^Off/);
      await expect.poll(lends).toBe(false);
      await view('Chat');
    });

    await test.step('drafts, titles, ids of conversations and settings are in no message (9)', async () => {
      await traffic();
      const text = await kept(page);
      expect(text).toContain('Zanzibar');
      const names = [...text.matchAll(/"conversation":"([^"]+)"/g)].map(([, id]) => id!);
      expect(names.length).toBeGreaterThan(2);
      const sent = Buffer.concat(all);
      expect(readable(sent, `${LOCAL} ${DRAFT}`, ids(LOCAL))).toEqual([]);
      for (const word of [...names, 'Zanzibar', 'treasure', 'whileLoading', 'maxTokens', 'memoryMb'])
        expect(sent.includes(word), word).toBe(false);
    });

    await test.step('after a reload the tab is another peer, and nothing kept the id (4)', async () => {
      const before = await peer();
      expect(before).toMatch(/^12D3KooW/);
      expect(await kept(page)).not.toContain(before);
      await page.reload();
      await page.evaluate(() => window.shoal.join());
      expect(await peer()).not.toBe(before);
      expect(await kept(page)).not.toContain(before);
    });

    await test.step('only the relay was asked, for what it serves, with no body and no cookie (1, 2)', async () => {
      // Those of workers and of the service worker are among them.
      expect(out.asked.filter(({ byServiceWorker }) => byServiceWorker).length).toBeGreaterThan(10);
      expect(out.asked.filter(({ url }) => url.pathname.startsWith('/models/')).length).toBeGreaterThan(2);
      for (const { method, url, headers, body } of out.asked) {
        expect(`${url.origin} ${method}`).toMatch(new RegExp(`^${relay.url} (GET|HEAD)$`));
        expect(isAllowed(url) && url.search === '', url.href).toBe(true);
        expect(body).toBe(null);
        expect(Object.keys(headers)).not.toContain('cookie');
        expect(headers.referer ?? '', url.href).toBe('');
        for (const name of Object.keys(headers)) expect(name).toMatch(OF_EVERY_SITE);
      }
      const requests = Buffer.from(JSON.stringify(out.asked.map(({ url, headers }) => [url.href, headers])));
      expect(readable(requests, [SYSTEM, LOCAL, SECRET, LIGHT].join(' '), [])).toEqual([]);
      expect(await context.cookies()).toEqual([]);
      expect(new Set(out.sockets.map(({ host }) => host))).toEqual(new Set([new URL(relay.url).host]));
    });

    await test.step('no STUN and no TURN server (5)', async () => {
      await page.evaluate(() => window.shoal.network());
      const { connections, servers } = await out.ice();
      expect(connections).toBeGreaterThan(0);
      expect(servers).toEqual([]);
    });
    await page.screenshot({ path: info.outputPath('end.png') });
  } finally {
    await context.close();
    await Promise.all(lenders.map((tab) => tab.close()));
    await relay.close();
  }
});

/** Addresses of requests that left this machine: those that the service worker answered from what it keeps did not. */
async function left(asked: readonly Asked[]): Promise<string[]> {
  const whether = await Promise.all(asked.map(({ kept }) => kept));
  return asked.filter((_, i) => !whether[i]).map(({ url }) => url.href);
}

/** An address without the peer at its end. */
function stem(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '');
}
