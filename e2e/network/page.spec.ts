import { expect, test } from '@playwright/test';
import type { Shoal } from '../../src/sdk/index.ts';
import { ChatPage } from '../chat-page.ts';
import { TestRelay } from './relay.ts';

let relay: TestRelay;
test.beforeAll(async () => {
  relay = await TestRelay.start('none');
});
test.afterAll(() => relay.close());

test('one person shares a device with a switch, another is answered over it and sees who holds what', async ({
  browser,
}, info) => {
  test.setTimeout(300_000);
  const lender = await browser.newContext({ baseURL: relay.url });
  const asker = await browser.newContext({ baseURL: relay.url });
  try {
    const lending = await lender.newPage();
    await lending.addInitScript(
      (settings) => {
        localStorage.setItem('shoal.settings', settings);
      },
      JSON.stringify({ route: 'network' }),
    );
    await lending.goto('/');
    const share = lending.getByRole('switch', { name: 'Share this device' });
    await expect(share).not.toBeChecked();
    await expect(lending.getByRole('status', { name: 'Status' })).toContainText('over the network');
    await share.check();
    await expect(lending.getByRole('progressbar', { name: /^To share/ })).toBeVisible();
    await expect(lending.getByText(/^Holds layers \d+ to \d+ of .+WASM/)).toBeVisible({ timeout: 120_000 });
    await lending.screenshot({ path: info.outputPath('sharing.png') });

    // The rest of the layers, by the programmable door of the same page in another context.
    const rest = await asker.newPage();
    await rest.goto('/manifest.webmanifest');
    const lenders = await rest.evaluate(async () => {
      const address = '/sdk.js';
      const { createShoal } = await import(address);
      const shoal: Shoal = createShoal({ model: false });
      Object.assign(window, { shoal });
      await shoal.share({ layers: [2, 30] });
      // To look at the network is to ask everybody in it: this links the two lenders to each other.
      const { self, peers } = await shoal.network();
      return { own: self!.peer, other: peers.find((peer) => !peer.self)!.peer };
    });

    const page = await asker.newPage();
    const chat = new ChatPage(page);
    await page.addInitScript(
      (value) => localStorage.setItem('shoal.settings', value),
      JSON.stringify({ temperature: 0, maxTokens: 12, route: 'network' }),
    );
    await page.goto('/');
    await expect(page.getByRole('combobox', { name: 'Route' })).toHaveValue('network');
    await expect(page.getByText(/recover a part of the text/)).toBeVisible();
    expect(await chat.ask('What is the capital of France?')).toContain('Paris');
    await expect(chat.answers.last()).toContainText(
      /over \d peers?.* · [\d.]+ tokens\/s · compute [\d.]+ ms \+ wire [\d.]+ ms per token/,
    );
    await page.getByRole('button', { name: 'Network' }).click();
    const view = page.getByRole('dialog', { name: 'Network' });
    await expect(view.getByRole('table').first()).toContainText('2 to');
    const links = view.getByRole('table', { name: 'Who is linked to whom' });
    await expect(links.getByRole('row', { name: /^this tab .* direct/ }).first()).toBeVisible();
    await expect(links.getByRole('row', { name: /^this tab .* relay WebSocket/ })).toBeVisible();
    const [one, two] = [lenders.own, lenders.other].sort().map((peer) => `…${peer.slice(-6)}`);
    await expect(links.getByRole('row', { name: `${one} ${two} direct` })).toBeVisible();
    await links.scrollIntoViewIfNeeded();
    await page.screenshot({ path: info.outputPath('network.png') });
    await page.setViewportSize({ width: 360, height: 740 });
    await links.scrollIntoViewIfNeeded();
    await page.screenshot({ path: info.outputPath('network-phone.png') });
    await page.keyboard.press('Escape');
    await page.screenshot({ path: info.outputPath('phone.png') });
    expect(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)).toBe(false);
    await page.getByRole('combobox', { name: 'Privacy' }).selectOption('light');
    await expect(page.getByText(/can read the conversation/)).toBeVisible();

    await lending.reload();
    await expect(lending.getByText(/^Holds layers \d+ to \d+ of .+WASM/)).toBeVisible({ timeout: 120_000 });
    await share.uncheck();
    await expect(lending.getByText(/^Holds layers/)).toBeHidden();
  } finally {
    await lender.close();
    await asker.close();
  }
});
