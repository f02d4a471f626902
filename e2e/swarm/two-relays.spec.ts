/**
 * Two relays of which one was told to join the other, and tabs in real Chromium that know one of them each. The relays
 * run in this process, so that one can be broken and brought back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
let folder: string;
let a: TestRelay;
let b: TestRelay;

interface Tab {
  page: Page;
  peer: string;
}

async function openTab(relay: TestRelay): Promise<Tab> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(lab.url);
  await page.waitForFunction('window.swarmLab !== undefined');
  const { peer } = await page.evaluate((address) => window.swarmLab.start(address), relay.address);
  return { page, peer };
}

const announce = ({ page }: Tab) =>
  page.evaluate((slice) => window.swarmLab.announce(slice), { ...MODEL, start: 0, end: 30 });
const find = ({ page }: Tab) =>
  page.evaluate(
    async (model) => (await window.swarmLab.holders(model, { start: 0, end: 30 })).holders,
    MODEL,
  );
const links = ({ page }: Tab) => page.evaluate(() => window.swarmLab.links());

/** Finds that peer as a client does, has frames echoed by it, and tells the path that they took. */
async function speak(from: Tab, peer: string): Promise<string | undefined> {
  let holder = (await find(from)).find((one) => one.peer === peer);
  while (!holder) holder = (await find(from)).find((one) => one.peer === peer);
  const times = await from.page.evaluate((to) => window.swarmLab.echo(to, 10_000, 20), holder);
  expect(times).toHaveLength(20);
  return (await links(from)).find((link) => link.peer === peer)?.path;
}

async function joined(...relays: TestRelay[]): Promise<void> {
  await expect.poll(() => relays.map(({ swarm }) => swarm.counts().joined)).toEqual(relays.map(() => 1));
}

test.beforeAll(async () => {
  test.setTimeout(120_000);
  lab = await startLab({ page: 'e2e/swarm' });
  browser = await launchChromium({ args: LOOPBACK });
});

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-'));
  a = await startRelay();
  b = await startRelay({ join: [a.address], dataFolder: folder });
  await joined(a, b);
});

test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await Promise.all([a.stop(), b.stop()]);
  await rm(folder, { recursive: true });
});

test.afterAll(async () => {
  await browser?.close();
  await lab?.close();
});

test('a tab at one relay finds and uses a tab that knows only the other, over a direct link, both ways', async () => {
  const [atA, atB] = await Promise.all([openTab(a), openTab(b)]);
  await Promise.all([announce(atA), announce(atB)]);
  expect(await speak(atA, atB.peer)).toBe('direct');
  expect((await links(atB)).map(({ peer, path }) => [peer, path])).toEqual([[atA.peer, 'direct']]);
  const other = await openTab(b);
  expect(await speak(other, atA.peer)).toBe('direct');
});

test('a tab that was closed is gone at the other relay too', async () => {
  const [client, host] = await Promise.all([openTab(a), openTab(b)]);
  await announce(host);
  expect(await speak(client, host.peer)).toBe('direct');
  await host.page.close();
  await expect.poll(() => find(client)).toEqual([]);
});

test('the other relay’s death breaks no link, and when it is back its tabs are found and used again', async () => {
  const [client, host] = await Promise.all([openTab(a), openTab(b)]);
  await announce(host);
  expect(await speak(client, host.peer)).toBe('direct');
  const { port } = b;
  b.breakConnections();
  await b.stop();
  await expect.poll(() => find(client)).toEqual([]);
  await client.page.evaluate((peer) => window.swarmLab.echo({ peer, addrs: [] }, 1_200, 20), host.peer);
  expect(await client.page.evaluate(() => window.swarmLab.gone())).toEqual([]);
  b = await startRelay({ join: [a.address], dataFolder: folder, port });
  const fresh = await openTab(a);
  // Its record may be there a moment before its reservation.
  await expect(async () => expect(await speak(fresh, host.peer)).toBe('direct')).toPass();
});
