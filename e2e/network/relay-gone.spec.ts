import { expect, test } from '@playwright/test';
import { TestRelay } from './relay.ts';
import { Tab } from './tab.ts';

const QUESTION = {
  messages: [{ role: 'user' as const, content: 'Tell me a story about a dog.' }],
  max_tokens: 64,
};

test('a relay that dies in mid-turn costs nothing, and when it is back everyone finds everyone again', async ({
  browser,
}) => {
  test.setTimeout(240_000);
  const relay = await TestRelay.start('none');
  const tabs: Tab[] = [];
  const open = async () => {
    const tab = await Tab.open(browser, relay.url);
    tabs.push(tab);
    return tab;
  };
  try {
    const first = await open();
    const second = await open();
    await first.share(2, 16);
    await second.share(16, 30);
    const client = await open();
    const { text } = await client.ask(QUESTION);

    await client.start('answer', QUESTION);
    await client.reached('answer', 8);
    await relay.kill();
    const through = await client.finish('answer');
    expect(through.text).toBe(text);
    expect(through.shoal.recoveries).toBe(0);
    expect((await client.network()).relay).toBe('gone');

    await relay.restart();
    const back = performance.now();
    // Somebody who was never told of anyone.
    const stranger = await open();
    await stranger.page.waitForFunction(
      async () => {
        const { coverage } = await window.shoal.network();
        return coverage[0]?.layers.slice(2).every(({ holders }) => holders.length === 1);
      },
      undefined,
      { polling: 100, timeout: 20_000 },
    );
    expect(performance.now() - back).toBeLessThan(10_000);
    expect((await stranger.ask({ ...QUESTION, max_tokens: 8 })).text.length).toBeGreaterThan(0);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await relay.close();
  }
});
