import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

test('the page is used with the keyboard alone', async ({ page }) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent,
    );
  const reach = async (name: string) => {
    for (let i = 0; i < 25 && (await focused()) !== name; i++) await page.keyboard.press('Tab');
    expect(await focused()).toBe(name);
  };
  await reach('Message');
  await page.keyboard.type('Line one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('Line two');
  await expect(chat.box).toHaveValue('Line one\nLine two');
  await page.keyboard.press('Enter');
  await chat.finished();
  await expect(chat.answers).toHaveCount(1);

  await reach('Menu');
  expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Menu' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Menu' })).toBeHidden();
  expect(await focused()).toBe('Menu');
});

test('a phone shows everything without sideways scrolling', async ({ page }, info) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  await chat.ask(`A very long word: ${'x'.repeat(300)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(wide).toBe(false);
  await expect(chat.box).toBeInViewport();
  await expect(chat.send).toBeInViewport();
  await page.screenshot({ path: info.outputPath('phone.png') });
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByText(/of models kept in this browser/)).toBeVisible();
});
