import { expect, test } from '@playwright/test';
import { tinyModel } from '../src/sdk/testing/tiny-model.ts';
import { ChatPage } from './chat-page.ts';

test('a broken file is refused with what to do, and a good one answers and is there after a reload', async ({
  page,
}) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  const models = page.getByRole('dialog', { name: 'Models' });
  const picker = page.getByRole('button', { name: /^Model: / });
  const pick = async (name: string, bytes: Uint8Array, button = 'Open a model file…') => {
    if (!(await models.isVisible())) await picker.click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      models.getByRole('button', { name: button }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
  };
  const model = tinyModel();

  await pick('notes.gguf', new TextEncoder().encode('These are notes, not a model.'));
  await expect(models.getByRole('alert')).toBeVisible();
  await pick('cut.gguf', model.subarray(0, model.length - 1000), 'Open another file…');
  await expect(models.getByRole('alert')).toContainText(/truncated|past the end|ends|bytes/i);
  await models.getByRole('button', { name: 'Dismiss' }).click();
  await page.keyboard.press('Escape');
  // The model that ran still runs.
  await expect(chat.status).toContainText('Ready in this tab');
  expect((await chat.ask('Hello')).length).toBeGreaterThan(0);

  await pick('tiny.gguf', model);
  await expect(models).toBeHidden();
  await expect(picker).toContainText(/Tiny shoal\s+ready/);
  await page.getByRole('button', { name: 'New chat', exact: true }).first().click();
  await chat.ask('Hello');
  await expect(chat.answers.last()).toContainText('in this tab');

  await page.reload();
  await chat.ready();
  await expect(picker).toContainText('Tiny shoal');
  await picker.click();
  await expect(models.getByRole('listitem').filter({ hasText: 'Tiny shoal' })).toContainText('your file');
  await page.keyboard.press('Escape');

  await page.getByRole('link', { name: 'Settings' }).click();
  const remove = page.getByRole('button', { name: 'Delete the model Tiny shoal' });
  await remove.click();
  await expect(page.getByRole('dialog')).toContainText('It came from a file of yours');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(remove).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Delete the model/ })).toHaveCount(1);
});
