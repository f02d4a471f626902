import { expect, type Page, test } from '@playwright/test';
import { violations } from './axe.ts';
import { ChatPage } from './chat-page.ts';

const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent?.trim() ?? '';
  });

async function reach(page: Page, name: string | RegExp, back = false): Promise<void> {
  const matches = (text: string) => (typeof name === 'string' ? text === name : name.test(text));
  for (let i = 0; i < 40 && !matches(await focused(page)); i++) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  expect(await focused(page)).toMatch(name);
}

test('the chat is used with the keyboard alone, and axe finds nothing in light and dark', async ({
  page,
}, info) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  expect(await violations(page)).toEqual([]);
  await chat.ready();

  await reach(page, 'Message');
  await page.keyboard.type('Line one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('Line two');
  await expect(chat.box).toHaveValue('Line one\nLine two');
  await page.keyboard.press('Enter');
  await chat.finished();
  await expect(chat.answers).toHaveCount(1);
  expect(await focused(page)).toBe('Message');

  // Back from the box to the answer's and the question's own buttons.
  await reach(page, 'Try again', true);
  expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
  await page.keyboard.press('Enter');
  await expect(chat.answers.last().getByRole('group', { name: 'Versions' })).toHaveText('2 of 2');
  await chat.finished();
  await reach(page, 'Edit question', true);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Your question, to be changed' })).toBeFocused();
  await page.keyboard.press('Escape');
  expect(await focused(page)).toBe('Message');

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await chat.box.fill('');
    expect(await violations(page), `${colorScheme}, a conversation`).toEqual([]);
    await page.screenshot({ path: info.outputPath(`${colorScheme}.png`) });
    await chat.box.fill('/');
    await expect(page.getByRole('listbox')).toBeVisible();
    expect(await violations(page), `${colorScheme}, commands`).toEqual([]);
    await chat.box.fill('');
    await page.keyboard.press('Control+/');
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await violations(page), `${colorScheme}, a dialog`).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  }
});

test('a phone shows everything without sideways scrolling', async ({ page }, info) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  await chat.ask(`A very long word: ${'x'.repeat(300)}`);
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(await wide()).toBe(false);
  await expect(chat.box).toBeInViewport();
  await expect(chat.send).toBeInViewport();
  for (const name of ['Chat', 'Share', 'Network', 'Settings']) {
    await expect(page.getByRole('link', { name, exact: true })).toBeInViewport();
  }
  const opener = page.getByRole('button', { name: 'Chats' });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), `${colorScheme}, a conversation`).toEqual([]);
    await page.screenshot({ path: info.outputPath(`phone-${colorScheme}.png`) });
    await opener.click();
    await expect(page.getByRole('searchbox')).toBeVisible();
    expect(await violations(page), `${colorScheme}, the drawer`).toEqual([]);
    await page.screenshot({ path: info.outputPath(`phone-${colorScheme}-drawer.png`) });
    expect(await wide()).toBe(false);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('searchbox')).toHaveCount(0);
    await expect(opener).toBeFocused();
  }
});
