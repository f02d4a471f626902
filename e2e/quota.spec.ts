import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

test('with no room to keep the model it still answers, and says that it is not kept', async ({
  page,
  context,
  baseURL,
}) => {
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: baseURL!, quotaSize: 30_000_000 });
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  await page.getByText('Why?').click();
  await expect(page.getByText(/held in memory until this tab closes/)).toBeVisible();
  expect((await chat.ask('What is the capital of France?')).length).toBeGreaterThan(0);
  const storage = await page.evaluate(() => window.shoal.status.get().storage?.kind);
  expect(storage).toBe('memory');
});
