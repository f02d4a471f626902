/**
 * The swarm in real Chromium: tabs in contexts of their own, one relay, WebRTC between the tabs. The relay runs in this
 * process, so that it can be broken and brought back.
 */
import { type Browser, expect, type Page, test } from '@playwright/test';
import { startRelay, type TestRelay } from '../../src/swarm/testing/relay.ts';
import { launchChromium } from '../lab/launch.ts';
import { type Lab, startLab } from '../lab/server.ts';
import type {} from './lab.ts';

/** Loopback is the only network that every machine has. */
const LOOPBACK = ['--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns'];
const MODEL = { cid: 'bafkreitest', layers: 30 };

let lab: Lab;
let browser: Browser;
let relay: TestRelay;

interface Tab {
  page: Page;
  peer: string;
  ms: number;
  addresses: string[];
  to: { peer: string; addrs: string[] };
}

async function openTab(): Promise<Tab> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(lab.url);
  await page.waitForFunction('window.swarmLab !== undefined');
  return joined(page);
}

async function joined(page: Page): Promise<Tab> {
  const started = await page.evaluate((address) => window.swarmLab.start(address), relay.address);
  return { page, ...started, to: { peer: started.peer, addrs: started.addresses } };
}

const openTabs = (count: number) => Promise.all(Array.from({ length: count }, openTab));
const closeTabs = (tabs: Tab[]) => Promise.all(tabs.map(({ page }) => page.context().close()));
const echo = ({ page }: Tab, { to }: Tab, bytes = 100, times = 1) =>
  page.evaluate(([address, size, count]) => window.swarmLab.echo(address, size, count), [
    to,
    bytes,
    times,
  ] as const);
const links = ({ page }: Tab) => page.evaluate(() => window.swarmLab.links());
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const round = (numbers: number[]) => numbers.map((number) => Math.round(number * 10) / 10);

/** When and why a tab was told that a peer is gone; it waits until it is. */
async function gone({ page }: Tab, { peer }: Tab): Promise<{ reason: string; at: number }> {
  await page.waitForFunction((lost) => window.swarmLab.gone().some((told) => told.peer === lost), peer, {
    polling: 20,
  });
  const told = (await page.evaluate(() => window.swarmLab.gone())).filter((one) => one.peer === peer);
  expect(told).toHaveLength(1);
  return told[0]!;
}

test.describe.configure({ mode: 'default' });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  lab = await startLab({ page: 'e2e/swarm' });
  browser = await launchChromium({ args: LOOPBACK });
});

test.beforeEach(async () => {
  relay = await startRelay();
});

test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await relay.stop();
});

test.afterAll(async () => {
  await browser?.close();
  await lab?.close();
});

test('tabs are linked directly, as the browser itself tells, and frames cost what a bare channel costs', async () => {
  const tabs = await openTabs(3);
  const [a, b, c] = tabs as [Tab, Tab, Tab];
  for (const [from, to] of [
    [a, b],
    [a, c],
    [b, c],
  ] as const)
    await echo(from, to);
  for (const tab of tabs) {
    const all = await links(tab);
    expect(all.map(({ path }) => path)).toEqual(['direct', 'direct']);
    for (const { roundTripMs } of all) expect(roundTripMs).toBeGreaterThan(0);
    const routes = (await tab.page.evaluate(() => window.swarmLab.routes())).filter(
      ({ state }) => state === 'connected',
    );
    expect(routes).toHaveLength(2);
    for (const { local, remote, bytesSent } of routes) {
      expect(local).toMatch(/host|prflx/);
      expect(remote).toMatch(/host|prflx/);
      expect(bytesSent).toBeGreaterThan(0);
    }
  }
  const report: Record<string, unknown> = { coldStartMs: round(tabs.map(({ ms }) => ms)) };
  for (const bytes of [1_200, 16_000]) {
    await echo(a, b, bytes, 30);
    const ours = median(await echo(a, b, bytes, 200));
    const bare = median(await a.page.evaluate((size) => window.swarmLab.bareRoundTrips(size, 200), bytes));
    report[`roundTripMs ${bytes}`] = { ours: round([ours])[0], bare: round([bare])[0] };
  }
  const size = 8 * 1024 * 1024;
  const ms = await a.page.evaluate(([to, bytes]) => window.swarmLab.echo(to, bytes, 1), [
    b.to,
    size,
  ] as const);
  report['8 MiB there and back, ms'] = round(ms);
  console.log(JSON.stringify(report));
});

test('of forty dials none hangs', async () => {
  const tabs = await openTabs(4);
  const dialler = await openTab();
  const spent: number[] = [];
  for (let i = 0; i < 10; i++) {
    if (i > 0) await joined(dialler.page);
    const each = await dialler.page.evaluate(
      (all) => Promise.all(all.map((to) => window.swarmLab.send(to, 100))),
      tabs.map(({ to }) => to),
    );
    spent.push(...each);
    const paths = (await links(dialler)).map(({ path }) => path);
    expect(paths).toEqual(Array(4).fill('direct'));
    await dialler.page.evaluate(() => window.swarmLab.stop('the next round'));
  }
  console.log(`dials, ms: median ${round([median(spent)])[0]}, longest ${round([Math.max(...spent)])[0]}`);
  expect(spent).toHaveLength(40);
  expect(Math.max(...spent)).toBeLessThan(3000);
});

test('two tabs that dial each other at once end with one link each way', async () => {
  const [a, b] = (await openTabs(2)) as [Tab, Tab];
  for (let i = 0; i < 5; i++) {
    const [there, back] = i === 0 ? [a, b] : await Promise.all([joined(a.page), joined(b.page)]);
    await Promise.all([echo(there, back, 100, 5), echo(back, there, 100, 5)]);
    for (const tab of [a, b]) expect((await links(tab)).map(({ path }) => path)).toEqual(['direct']);
    await Promise.all([a, b].map(({ page }) => page.evaluate(() => window.swarmLab.stop('the next round'))));
  }
});

test('a closed, a crashed and a frozen tab are noticed', async () => {
  const [watcher, closed, crashed, frozen] = (await openTabs(4)) as [Tab, Tab, Tab, Tab];
  for (const tab of [closed, crashed, frozen]) await echo(watcher, tab);
  const report: Record<string, string> = {};
  const noticed = async (what: string, tab: Tab, within: number, end: () => Promise<unknown>) => {
    const started = Date.now();
    await end();
    const { at, reason } = await gone(watcher, tab);
    report[what] = `${Math.round(at - started)} ms (${reason})`;
    expect(at - started, what).toBeLessThan(within);
  };
  await noticed('closed', closed, 1500, () => closed.page.close());
  await noticed('crashed', crashed, 1500, async () => {
    const crash = await crashed.page.context().newCDPSession(crashed.page);
    // There is nobody left to answer.
    crash.send('Page.crash').catch(() => {});
  });
  await noticed('frozen', frozen, 4000, async () => {
    const session = await frozen.page.context().newCDPSession(frozen.page);
    await session.send('Debugger.enable');
    await session.send('Debugger.pause');
    // It halts at the next statement, which the next pulse brings.
  });
  console.log(JSON.stringify(report));
  expect(await links(watcher)).toEqual([]);
});

test('a slice is found by a tab that was never told of it, and not after its tab was closed', async () => {
  const [host, finder] = (await openTabs(2)) as [Tab, Tab];
  const slice = { ...MODEL, start: 8, end: 22 };
  await host.page.evaluate((holding) => window.swarmLab.announce(holding), slice);
  const find = () =>
    finder.page.evaluate((model) => window.swarmLab.holders(model, { start: 4, end: 16 }), MODEL);
  const { holders, ms } = await find();
  expect(holders.map(({ peer }) => peer)).toEqual([host.peer]);
  await finder.page.evaluate((to) => window.swarmLab.echo(to, 10, 1), holders[0]!);
  expect((await links(finder)).map(({ path }) => path)).toEqual(['direct']);
  const closed = Date.now();
  await host.page.close();
  while ((await find()).holders.length > 0);
  console.log(`found in ${Math.round(ms)} ms; a closed tab’s record gone after ${Date.now() - closed} ms`);
  expect(Date.now() - closed).toBeLessThan(1000);
});

test('links outlive the relay, and when it is back the tabs are reachable and found again', async () => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const dataFolder = await mkdtemp(join(tmpdir(), 'shoal-'));
  await relay.stop();
  relay = await startRelay({ dataFolder });
  const [a, b] = (await openTabs(2)) as [Tab, Tab];
  await b.page.evaluate((holding) => window.swarmLab.announce(holding), { ...MODEL, start: 0, end: 30 });
  await echo(a, b);

  const { port } = relay;
  relay.breakConnections();
  await relay.stop();
  for (const { page } of [a, b])
    await page.waitForFunction(() => window.swarmLab.status().relay !== 'connected', null, { polling: 50 });
  await echo(a, b, 1_200, 200);
  expect(await a.page.evaluate(() => window.swarmLab.gone())).toEqual([]);
  expect((await links(a)).map(({ path }) => path)).toEqual(['direct']);

  relay = await startRelay({ dataFolder, port });
  const back = Date.now();
  const c = await openTab();
  const find = () => c.page.evaluate((model) => window.swarmLab.holders(model, { start: 0, end: 30 }), MODEL);
  let found = await find();
  while (found.holders.length === 0) found = await find();
  expect(found.holders.map(({ peer }) => peer)).toEqual([b.peer]);
  console.log(
    `reachable and found ${Date.now() - back} ms after the relay’s return, a new tab’s start included`,
  );
  expect(Date.now() - back).toBeLessThan(10_000);
  await c.page.evaluate((to) => window.swarmLab.echo(to, 10, 1), found.holders[0]!);
  expect((await links(c)).map(({ path }) => path)).toEqual(['direct']);
  await closeTabs([a, b, c]);
  await rm(dataFolder, { recursive: true });
});
