import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';
import { TestRelay } from './network/relay.ts';
import { Tab } from './network/tab.ts';
import { SlowLine } from './slow-line.ts';

/** What a phone has in a village, or a laptop in a full train. */
const LINE = { bitsPerSecond: 10_000_000, roundTripMs: 40 };

test('a cold visitor on a slow line reads the first words while the own model is still far', async ({
  browser,
}) => {
  test.setTimeout(240_000);
  const relay = await TestRelay.start('none');
  const line = await SlowLine.to(relay.url, LINE);
  const hosts: Tab[] = [];
  const context = await browser.newContext({ baseURL: line.url });
  try {
    for (const [start, end] of [
      [2, 12],
      [12, 21],
      [21, 30],
    ] as const) {
      const host = await Tab.open(browser, relay.url);
      hosts.push(host);
      await host.share(start, end);
    }

    const page = await context.newPage();
    const chat = new ChatPage(page);
    const settings = { temperature: 0, maxTokens: 12, whileLoading: 'network', told: ['private', 'light'] };
    await page.addInitScript(
      (value) => localStorage.setItem('shoal.settings', value),
      JSON.stringify(settings),
    );
    await page.goto('/');
    await chat.box.fill('What is the capital of France?');
    await chat.send.click();
    await expect.poll(() => chat.lastAnswer(), { timeout: 150_000 }).not.toBe('');
    const bytes = line.received;
    const before = await page.evaluate(() => window.shoal.status.get());
    await chat.finished();
    expect(await chat.lastAnswer()).toContain('Paris');
    await expect(chat.answers.last()).toContainText('over 3 peers');

    // The embedding, which is the head as well, two layers of thirty, and the code that runs them.
    test.info().annotations.push({ type: 'bytes until the first word', description: String(bytes) });
    expect(bytes).toBeLessThan(0.5 * before.total);
    expect(before.phase).toBe('fetching');
    expect(before.done).toBeLessThan(0.5 * before.total);
    // The download goes on by itself.
    const later = await page.evaluate(
      (done) =>
        new Promise<number>((resolve) => {
          const off = window.shoal.status.subscribe((status) => {
            if (status.done <= done) return;
            off();
            resolve(status.done);
          });
        }),
      before.done,
    );
    expect(later).toBeGreaterThan(before.done);
  } finally {
    await Promise.all([context.close(), ...hosts.map((host) => host.close())]);
    await line.close();
    await relay.close();
  }
});
