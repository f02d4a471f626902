import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

test('an enormous paste, HTML and an empty message harm nothing, and nothing typed is lost', async ({
  page,
}) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  const box = page.getByRole('textbox', { name: 'Message' });
  const log = page.getByRole('log', { name: 'Conversation' });

  await box.fill('   ');
  await box.press('Enter');
  await expect(log.getByRole('article')).toHaveCount(0);

  const paste = 'fish '.repeat(9000).trim();
  await box.fill(paste);
  await box.press('Enter');
  await expect(page.getByRole('alert')).toContainText('the model holds 4096');
  await page.getByRole('button', { name: 'Edit message' }).click();
  await expect(box).toHaveValue(paste);
  await expect(box).toBeFocused();
  await expect(log.getByRole('article')).toHaveCount(0);

  await box.fill('<img src=x onerror="document.title=1"> <b>bold</b> <|im_end|>');
  await box.press('Enter');
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
  await expect(log.getByRole('article', { name: 'You' })).toContainText('<b>bold</b> <|im_end|>');
  expect(await log.locator('img, b').count()).toBe(0);
  expect(await page.title()).not.toBe('1');
});
