import { expect, test } from '@playwright/test';
import { TestRelay } from './relay.ts';
import { Tab } from './tab.ts';

const PROMPTS = [
  'What is the capital of France?',
  'Write a short poem about the sea.',
  'Explain why the sky is blue.',
  'List five fruits.',
  'Tell me a story about a dog.',
];
const TOKENS = 64;

let relay: TestRelay;
test.beforeAll(async () => {
  relay = await TestRelay.start('23-30');
});
test.afterAll(() => relay.close());

test('three tabs and the relay give the text of one tab, over direct links', async ({ browser }) => {
  test.setTimeout(300_000);
  const alone = await Tab.open(browser, relay.url);
  const expected: string[] = [];
  for (const content of PROMPTS) {
    const { text, shoal } = await alone.ask({
      messages: [{ role: 'user', content }],
      max_tokens: TOKENS,
      route: 'local',
    });
    expect(shoal.route).toBe('local');
    expected.push(text);
  }
  await alone.close();

  const tabs = await Promise.all([0, 1, 2].map(() => Tab.open(browser, relay.url)));
  const ranges = [
    [2, 9],
    [9, 16],
    [16, 23],
  ] as const;
  const peers: string[] = [];
  for (const [i, [start, end]] of ranges.entries()) peers.push(await tabs[i]!.share(start, end));
  const client = await Tab.open(browser, relay.url);
  for (const [i, content] of PROMPTS.entries()) {
    const { text, shoal } = await client.ask({ messages: [{ role: 'user', content }], max_tokens: TOKENS });
    expect(text).toBe(expected[i]);
    expect(shoal.route).toBe('network');
    expect(shoal.recoveries).toBe(0);
    expect(shoal.hops.map(({ start, end }) => [start, end])).toEqual([
      ...ranges.map((r) => [...r]),
      [23, 30],
    ]);
    expect(shoal.hops.slice(0, 3).map(({ peer }) => peer)).toEqual(peers);
    expect(shoal.hops.map(({ path }) => path)).toEqual(['direct', 'direct', 'direct', 'websocket']);
    expect(shoal.timings.compute_ms).toBeGreaterThan(0);
    expect(shoal.timings.wire_ms).toBeGreaterThan(0);
  }
  // Every link between tabs is a pair of host candidates; the hidden states went over those of the line.
  const states = PROMPTS.length * TOKENS * 576 * 4;
  for (const [i, tab] of [client, ...tabs].entries()) {
    const pairs = await tab.pairs();
    expect(pairs.length).toBeGreaterThan(0);
    for (const { local, remote } of pairs) {
      expect(['host', 'prflx']).toContain(local);
      expect(['host', 'prflx']).toContain(remote);
    }
    // The third tab passes them on to the relay, over its WebSocket.
    if (i < 3) expect(Math.max(...pairs.map(({ sent }) => sent))).toBeGreaterThan(states);
    if (i > 0) expect(Math.max(...pairs.map(({ received }) => received))).toBeGreaterThan(states);
  }
  const seen = await client.network();
  const held = seen.coverage[0]!.layers.map(({ holders }) => holders.length);
  expect(held.slice(2)).toEqual(new Array(28).fill(1));
  await Promise.all([client, ...tabs].map((tab) => tab.close()));
});

test('larger, smaller and overlapping slices are combined, and a gap is named', async ({ browser }) => {
  test.setTimeout(240_000);
  const client = await Tab.open(browser, relay.url);
  const question = { messages: [{ role: 'user' as const, content: PROMPTS[0]! }], max_tokens: 12 };
  await expect(client.ask(question)).rejects.toThrow(/layers 2 to 22/);

  const large = await Tab.open(browser, relay.url);
  const small = await Tab.open(browser, relay.url);
  await large.share(0, 14);
  await expect(client.ask(question)).rejects.toThrow(/layers 14 to 22/);
  await small.share(10, 25);
  const { text, shoal } = await client.ask(question);
  expect(text).toContain('Paris');
  expect(shoal.hops[0]!.start).toBe(2);
  expect(shoal.hops.at(-1)!.end).toBe(30);
  for (const [i, hop] of shoal.hops.entries()) if (i > 0) expect(hop.start).toBe(shoal.hops[i - 1]!.end);
  await Promise.all([client, large, small].map((tab) => tab.close()));
});

test('light mode gives the same text for the same seed, with no weights in the tab', async ({ browser }) => {
  test.setTimeout(240_000);
  const host = await Tab.open(browser, relay.url);
  await host.share(0, 23);
  const client = await Tab.open(browser, relay.url);
  const ask = { messages: [{ role: 'user' as const, content: PROMPTS[1]! }], max_tokens: 24 };
  const settings = { ...ask, temperature: 0.9, seed: 11 };
  const light = await client.ask({ ...settings, privacy: 'light' });
  const storage = await client.page.evaluate(() => window.shoal.models().then(([model]) => model!.kept));
  expect(storage).toBeLessThan(1_000_000);
  const secret = await client.ask({ ...settings, privacy: 'private' });
  expect(light.text).toBe(secret.text);
  expect(light.shoal.token_ids).toEqual(secret.shoal.token_ids);
  const local = await host.ask({ ...settings, route: 'local' });
  expect(light.text).toBe(local.text);
  await Promise.all([client, host].map((tab) => tab.close()));
});
