import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

test('an enormous message, HTML, an empty message and a false model harm nothing, and nothing typed is lost', async ({
  page,
}) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  const { box, log } = chat;

  await box.fill('   ');
  await box.press('Enter');
  await expect(log.getByRole('article')).toHaveCount(0);
  await expect(chat.send).toBeDisabled();

  const long = 'fish '.repeat(9000).trim();
  await box.fill(long);
  await box.press('Enter');
  await expect(page.getByRole('alert')).toContainText('the model holds 4096');
  await page.getByRole('button', { name: 'Edit message' }).click();
  await expect(box).toHaveValue(long);
  await expect(box).toBeFocused();
  await expect(log.getByRole('article')).toHaveCount(0);

  const hostile = '<img src=x onerror="document.title=1"> <b>bold</b> <|im_end|>';
  await chat.ask(hostile);
  await expect(chat.questions).toContainText('<b>bold</b> <|im_end|>');
  expect(await log.locator('img, b').count()).toBe(0);
  expect(await page.title()).not.toBe('1');

  // What is dropped as a model and is none is refused; what runs goes on.
  await box.fill('still here');
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['These are notes, not a model.'], 'notes.gguf'));
    const target = document.querySelector('[role=log]')!;
    target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
  const card = page.getByRole('region', { name: 'Model file' });
  await expect(card.getByRole('alert')).toBeVisible();
  await card.getByRole('button', { name: 'Dismiss' }).click();
  await expect(chat.status).toContainText('Ready in this tab');
  await expect(box).toHaveValue('still here');
});
