import { expect, test } from '@playwright/test';
import { TestRelay } from './relay.ts';
import { Tab } from './tab.ts';

const SUBJECTS = ['the sea', 'a dog', 'the moon', 'bread', 'a king', 'rain', 'a train', 'music'];

test('eight clients at once over one chain all get their own right text', async ({ browser }) => {
  test.setTimeout(300_000);
  const relay = await TestRelay.start('16-30');
  const tabs: Tab[] = [];
  try {
    const host = await Tab.open(browser, relay.url);
    tabs.push(host);
    await host.share(2, 16);
    const asks = SUBJECTS.map((subject) => ({
      messages: [{ role: 'user' as const, content: `Write one sentence about ${subject}.` }],
      max_tokens: 16,
    }));
    const clients: Tab[] = [];
    for (const _ of SUBJECTS) clients.push(await Tab.open(browser, relay.url));
    tabs.push(...clients);
    // Each alone first, which also loads its own part of the model.
    const alone: string[] = [];
    for (const [i, ask] of asks.entries()) alone.push((await clients[i]!.ask(ask)).text);
    const together = await Promise.all(asks.map((ask, i) => clients[i]!.ask(ask)));
    expect(together.map(({ text }) => text)).toEqual(alone);
    expect(new Set(alone).size).toBe(SUBJECTS.length);
    const { self } = await host.network();
    expect(self!.sharing!.counters.sharedRuns).toBeGreaterThan(0);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await relay.close();
  }
});
