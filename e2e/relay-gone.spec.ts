import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ChatPage, watch } from './chat-page.ts';
import { MODEL, RelayProcess } from './relay-process.ts';

test('a relay that dies halfway costs no byte that had arrived, and one that dies later costs nothing', async ({
  browser,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-relay-'));
  const flags = ['--data', folder, '--model', MODEL];
  let relay = await RelayProcess.start(0, flags);
  const context = await browser.newContext({ baseURL: relay.url });
  try {
    const page = await context.newPage();
    const chat = new ChatPage(page);
    // Slow enough to be caught in the middle.
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: 20_000_000,
      uploadThroughput: 20_000_000,
    });
    await chat.open({ temperature: 0, maxTokens: 8 });
    await page.waitForFunction(() => {
      const { phase, done, total } = window.shoal.status.get();
      return phase === 'fetching' && total > 0 && done > total / 2;
    });
    await relay.kill();
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible();
    const kept = await page.evaluate(() => window.shoal.status.get().storage?.used ?? 0);
    expect(kept).toBeGreaterThan(10_000_000);

    relay = await RelayProcess.start(relay.port, flags);
    const traffic = watch(context, relay.url);
    await page.getByRole('button', { name: 'Retry' }).click();
    await chat.ready();
    const { bytes } = await page.evaluate(() => window.shoal.status.get().model!);
    expect(traffic.modelBytes).toBeLessThan(bytes - 10_000_000);

    await relay.kill();
    expect((await chat.ask('What is the capital of France?')).length).toBeGreaterThan(0);
    expect(await page.evaluate(() => window.shoal.models().then((models) => models.length))).toBeGreaterThan(
      0,
    );
    await expect(chat.status).toContainText('Ready in this tab');
  } finally {
    await context.close();
    await relay.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
