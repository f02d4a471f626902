import { expect, test } from '@playwright/test';
import { tinyModel } from '../src/sdk/testing/tiny-model.ts';
import { ChatPage } from './chat-page.ts';

test('a broken file is refused with what to do, and a good one answers and is there after a reload', async ({
  page,
}) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  const pick = async (name: string, bytes: Uint8Array) => {
    await page.getByRole('button', { name: 'Menu' }).click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Open a model file…' }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
  };
  const model = tinyModel();

  await pick('notes.gguf', new TextEncoder().encode('These are notes, not a model.'));
  await expect(page.getByRole('alert')).toBeVisible();
  await pick('cut.gguf', model.subarray(0, model.length - 1000));
  await expect(page.getByRole('alert')).toContainText(/truncated|past the end|ends|bytes/i);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  // The model that ran still runs.
  await expect(chat.status).toContainText('Ready in this tab');
  expect((await chat.ask('Hello')).length).toBeGreaterThan(0);

  await pick('tiny.gguf', model);
  await expect(page.getByRole('banner')).toContainText('Tiny shoal');
  await expect(chat.status).toContainText('Ready in this tab');
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await chat.ask('Hello');
  await expect(chat.answers.last()).toContainText('in this tab');

  await page.reload();
  await chat.ready();
  await expect(page.getByRole('banner')).toContainText('Tiny shoal');

  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Delete the model Tiny shoal' }).click();
  await expect(page.getByRole('button', { name: 'Delete the model Tiny shoal' })).toHaveCount(0);
});
