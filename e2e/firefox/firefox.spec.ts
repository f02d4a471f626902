import { expect, test } from '@playwright/test';
import type { Page } from 'puppeteer-core';
import { findFirefox } from '../../scripts/firefox.ts';
import { TestRelay } from '../network/relay.ts';
import { Tab } from '../network/tab.ts';
import { openFirefox, visit } from './firefox.ts';

const QUESTION = 'What is the capital of France?';

test('Firefox loads the page, answers by itself, and stands in a chain with Chromium tabs on both sides', async ({
  browser,
}) => {
  test.setTimeout(300_000);
  const missing = await findFirefox().then(
    () => null,
    (error: Error) => error.message,
  );
  test.skip(missing !== null, missing ?? '');
  const relay = await TestRelay.start('none');
  const firefox = await openFirefox();
  const tabs: Tab[] = [];
  try {
    const page = await firefox.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await visit(page, relay.url, { temperature: 0, maxTokens: 16, route: 'local' });

    // A person: the box, a key, and the answer.
    const alone = await ask(page, QUESTION);
    expect(alone).toContain('Paris');
    expect(await page.evaluate(() => window.shoal.status.get().engine?.backend)).toBe('wasm');

    // Firefox lends the middle; Chromium tabs lend the rest and ask.
    const peer = await page.evaluate(async () => {
      await window.shoal.share({ layers: [11, 20] });
      return (await window.shoal.network()).self!.peer;
    });
    for (const [start, end] of [
      [2, 11],
      [20, 30],
    ] as const) {
      const tab = await Tab.open(browser, relay.url);
      tabs.push(tab);
      await tab.share(start, end);
    }
    const client = await Tab.open(browser, relay.url);
    tabs.push(client);
    const messages = [{ role: 'user' as const, content: QUESTION }];
    const answered = await client.ask({ messages, max_tokens: 16 });
    expect(answered.text.trim()).toBe(alone);
    expect(answered.shoal.hops.map((hop) => hop.peer)[1]).toBe(peer);
    expect(answered.shoal.hops.map(({ path }) => path)).toEqual(['direct', 'direct', 'direct']);

    // And it asks over the others, while it lends to itself what only it holds.
    const asked = await page.evaluate(
      async (messages) =>
        window.shoal.chat.completions.create({
          messages,
          max_tokens: 16,
          temperature: 0,
          route: 'network',
        }),
      messages,
    );
    expect(asked.choices[0]?.message.content.trim()).toBe(alone);
    expect(asked.shoal.hops).toHaveLength(3);
    expect(errors).toEqual([]);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await firefox.close();
    await relay.close();
  }
});

/** Writes a question as a person does, and waits for the answer's end. @returns its text */
async function ask(page: Page, text: string): Promise<string> {
  const box = await page.waitForSelector('::-p-aria([name="Message"][role="textbox"])', { timeout: 60_000 });
  await box!.type(text);
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    () => document.querySelector('[role=log]')?.getAttribute('aria-busy') === 'true',
    { timeout: 30_000 },
  );
  await page.waitForFunction(
    () => document.querySelector('[role=log]')?.getAttribute('aria-busy') === 'false',
    { timeout: 120_000 },
  );
  return page.evaluate(() =>
    [...document.querySelectorAll('[role=log] article[aria-label=Shoal] p')]
      .map((paragraph) => paragraph.textContent)
      .join('\n')
      .trim(),
  );
}
