/**
 * Tabs in real Chromium that know nothing of a relay but its webrtc-direct address: no WebSocket, no domain, no
 * certificate that anybody signed.
 */
import { type Browser, expect, type Page, test } from '@playwright/test';
import { Heard, startRelay, type TestRelay } from '../../src/swarm/testing/relay.ts';
import { launchChromium } from '../lab/launch.ts';
import { type Lab, startLab } from '../lab/server.ts';
import type {} from './lab.ts';

/** Loopback is the only network that every machine has. */
const LOOPBACK = ['--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns'];
const SLICE = { cid: 'bafkreitest', layers: 30, start: 8, end: 22 };

let lab: Lab;
let browser: Browser;
let relay: TestRelay;

interface Tab {
  page: Page;
  ms: number;
  to: { peer: string; addrs: string[] };
}

async function openTab(address: string): Promise<Tab> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(lab.url);
  await page.waitForFunction('window.swarmLab !== undefined');
  const { peer, ms, addresses } = await page.evaluate((relayed) => window.swarmLab.start(relayed), address);
  return { page, ms, to: { peer, addrs: addresses } };
}

test.beforeAll(async () => {
  test.setTimeout(180_000);
  lab = await startLab({ page: 'e2e/swarm' });
  browser = await launchChromium({ args: LOOPBACK });
  relay = await startRelay({ listen: { webrtc: 0, host: '127.0.0.1' } });
});

test.afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  await lab?.close();
});

test('a tab that knows only the webrtc-direct address is served by the relay, found, and linked directly with others', async () => {
  const [address] = relay.swarm.status().addresses;
  expect(address).toContain('/webrtc-direct/certhash/');
  const [a, b] = await Promise.all([openTab(address!), openTab(address!)]);
  expect(relay.swarm.counts().connections).toEqual({ websocket: 0, tcp: 0, 'webrtc-direct': 2 });
  expect(relay.swarm.counts().reservations).toBe(2);
  for (const { to } of [a, b])
    expect(to.addrs.some((one) => one.includes('/p2p-circuit/webrtc/'))).toBe(true);

  // The relay answers each frame with one of its size, as its host does.
  const heard = new Heard(relay.swarm.transport);
  relay.swarm.transport.listen({
    frame: (from, body) => {
      const answer = new Uint8Array(4 + body.length);
      new DataView(answer.buffer).setUint32(0, body.length);
      answer[4] = 2;
      void relay.swarm.transport.send({ peer: from, addrs: [] }, answer);
    },
    gone: () => {},
  });
  const echo = (tab: Tab, to: Tab['to'], bytes: number, times: number) =>
    tab.page.evaluate(([peer, size, count]) => window.swarmLab.echo(peer, size, count), [
      to,
      bytes,
      times,
    ] as const);
  const toRelay = { peer: relay.swarm.peer, addrs: [] };
  const times = await echo(a, toRelay, 1_200, 50);
  await echo(a, toRelay, 300_000, 3);
  expect(heard.frames).toHaveLength(53);
  const median = [...times].sort((x, y) => x - y)[25]!;
  const [link] = await a.page.evaluate(() => window.swarmLab.links());
  expect(link).toMatchObject({ peer: relay.swarm.peer, path: 'direct' });

  // The DHT and tab to tab, with the relay between them only for the introduction.
  await b.page.evaluate((slice) => window.swarmLab.announce(slice), SLICE);
  const { holders } = await a.page.evaluate(
    (slice) => window.swarmLab.holders({ cid: slice.cid, layers: slice.layers }, { start: 8, end: 22 }),
    SLICE,
  );
  expect(holders.map(({ peer }) => peer)).toEqual([b.to.peer]);
  await echo(a, holders[0]!, 100_000, 3);
  const links = await a.page.evaluate(() => window.swarmLab.links());
  expect(links.find(({ peer }) => peer === b.to.peer)!.path).toBe('direct');
  expect(relay.swarm.counts().relayedBytes).toBeLessThan(50_000);
  console.log(
    JSON.stringify({
      joinedMs: [a, b].map(({ ms }) => Math.round(ms)),
      roundTripMs: Math.round(median * 10) / 10,
    }),
  );

  // A closed tab is noticed, and so are its records.
  await b.page.close();
  await expect.poll(() => relay.swarm.counts().reservations, { timeout: 60_000 }).toBe(1);
  expect(relay.swarm.counts().records).toBe(0);
});
