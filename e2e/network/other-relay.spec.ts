import { expect, test } from '@playwright/test';
import { ChatPage } from '../chat-page.ts';
import { TestRelay } from './relay.ts';

let relay: TestRelay;
test.beforeAll(async () => {
  relay = await TestRelay.start('all');
});
test.afterAll(() => relay.close());

for (const form of ['URL', 'multiaddr'] as const) {
  test(`?relay= with a ${form} joins the network of another relay than the page’s own`, async ({
    page,
    baseURL,
  }) => {
    const { peer } = await (await fetch(`${relay.url}/network.json`)).json();
    const { port } = new URL(relay.url);
    const address = form === 'URL' ? relay.url : `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${peer}`;
    const chat = new ChatPage(page);
    await page.addInitScript(
      (value) => localStorage.setItem('shoal.settings', value),
      JSON.stringify({ temperature: 0, maxTokens: 8, route: 'network' }),
    );
    await page.goto(`${baseURL}/?relay=${encodeURIComponent(address)}`);
    expect(await chat.ask('What is the capital of France?')).toContain('Paris');
    await expect(chat.answers.last()).toContainText('over 1 peer');
    const { peers } = await page.evaluate(() => window.shoal.network());
    expect(peers.map((one) => one.peer)).toEqual([peer]);
  });
}
