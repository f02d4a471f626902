import { readFile } from 'node:fs/promises';
import { type Download, expect, type Locator, type Page, test } from '@playwright/test';
import { tinyModel } from '../src/sdk/testing/tiny-model.ts';
import { violations } from './axe.ts';
import { ChatPage } from './chat-page.ts';
import { noonZone } from './noon.ts';

/** The list of conversations, found as a user finds it. */
class Side {
  constructor(readonly page: Page) {}

  get list(): Locator {
    return this.page.getByRole('complementary', { name: 'Conversations' });
  }
  get search(): Locator {
    return this.page.getByRole('searchbox', { name: 'Search conversations' });
  }
  get notice(): Locator {
    return this.page.getByRole('status', { name: 'Conversations' });
  }

  group(name: string): Locator {
    return this.page.getByRole('list', { name });
  }

  row(title: string): Locator {
    return this.page.getByRole('button', { name: title, exact: true });
  }

  /** Opens the menu of a conversation, or of all of them, and chooses. */
  async choose(about: string, what: string): Promise<void> {
    await this.page.getByRole('button', { name: about, exact: true }).click();
    await this.page.getByRole('menuitem', { name: what, exact: true }).click();
  }

  async save(about: string, what: string): Promise<{ name: string; text: string }> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.choose(about, what)]);
    return { name: download.suggestedFilename(), text: await textOf(download) };
  }

  async import(name: string, text: string): Promise<void> {
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.choose('More about all conversations', 'Import…'),
    ]);
    await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  }
}

test.use({ timezoneId: noonZone() });

async function textOf(download: Download): Promise<string> {
  return readFile(await download.path(), 'utf8');
}

test('conversations are found, renamed, pinned, taken out, deleted and brought back', async ({
  page,
}, info) => {
  const chat = new ChatPage(page);
  const side = new Side(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await expect(side.list).toContainText('They stay in this browser');
  await chat.ready();

  await chat.ask('Why do fish swim in shoals?');
  await expect(side.group('Today').getByRole('listitem')).toHaveCount(1);
  await side.list.getByRole('button', { name: 'New chat', exact: true }).click();
  await chat.ask('What is the capital of France?');
  await expect(side.group('Today').getByRole('listitem')).toHaveCount(2);
  await expect(side.row('What is the capital of France?')).toHaveAttribute('aria-current', 'true');

  // A menu is walked with arrows, and gives the focus back.
  const more = page.getByRole('button', { name: 'More about “Why do fish swim in shoals?”' });
  await more.focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Rename' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(more).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  const title = page.getByRole('textbox', { name: 'New title' });
  await expect(title).toBeFocused();
  await title.fill('Given up');
  await page.keyboard.press('Escape');
  await expect(side.row('Why do fish swim in shoals?')).toBeFocused();
  await page.keyboard.press('F2');
  await title.fill('Fish <b>in</b> shoals');
  await page.keyboard.press('Enter');
  await expect(side.row('Fish <b>in</b> shoals')).toBeFocused();

  await side.choose('More about “Fish <b>in</b> shoals”', 'Pin');
  await expect(side.group('Pinned').getByRole('listitem')).toHaveCount(1);
  await expect(side.group('Today').getByRole('listitem')).toHaveCount(1);

  await page.keyboard.press('Control+k');
  await expect(side.search).toBeFocused();
  await page.keyboard.type('FRANCE');
  await expect(side.list).toContainText('1 conversation found');
  await expect(side.list.locator('mark')).toHaveText('France');
  await side.search.fill('no such words anywhere');
  await expect(side.list).toContainText('Nothing was found for “no such words anywhere”.');
  await side.search.fill('shoals');
  await expect(side.list.locator('mark').first()).toHaveText('shoals');
  await side.list.getByRole('list', { name: 'Conversations' }).getByRole('button').first().click();
  await expect(chat.log).toContainText('Why do fish swim in shoals?');
  await side.search.press('Escape');
  await expect(side.search).toHaveValue('');
  await expect(side.row('Fish <b>in</b> shoals')).toHaveAttribute('aria-current', 'true');

  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, '.side')).toEqual([]);
    await page.screenshot({ path: info.outputPath(`side-${scheme}.png`) });
  }

  const markdown = await side.save('More about “Fish <b>in</b> shoals”', 'Export as Markdown');
  expect(markdown.name).toBe('shoal-fish-b-in-b-shoals.md');
  expect(markdown.text).toContain('Why do fish swim in shoals?');
  const one = await side.save('More about “Fish <b>in</b> shoals”', 'Export as JSON');
  expect(JSON.parse(one.text).conversations).toHaveLength(1);
  const all = await side.save('More about all conversations', 'Export all as JSON');
  expect(JSON.parse(all.text).conversations).toHaveLength(2);

  await side.choose('More about “Fish <b>in</b> shoals”', 'Delete');
  const asked = page.getByRole('dialog', { name: 'Delete this conversation?' });
  await expect(asked.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(side.row('Fish <b>in</b> shoals')).toBeVisible();
  await side.choose('More about “Fish <b>in</b> shoals”', 'Delete');
  await asked.getByRole('button', { name: 'Delete' }).click();
  await expect(side.row('Fish <b>in</b> shoals')).toHaveCount(0);
  // It was the one on the page.
  await expect(chat.answers).toHaveCount(0);

  await side.import('garbage.json', '\0\0\0 not json');
  await expect(side.notice).toContainText('garbage.json');
  await side.import('all.json', all.text);
  await expect(side.notice).toContainText(/Imported 1 conversation.*One was here already/);
  await side.notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(side.notice).toBeEmpty();

  await page.reload();
  await chat.ready();
  await expect(side.group('Pinned')).toContainText('Fish <b>in</b> shoals');
  await side.row('Fish <b>in</b> shoals').click();
  await expect(chat.log).toContainText('Why do fish swim in shoals?');

  await side.list.getByRole('button', { name: 'New temporary chat' }).click();
  await expect(side.list).toContainText('Temporary chat not kept');
  await chat.ask('A secret question');
  await side.list.getByRole('button', { name: 'New chat', exact: true }).click();
  await expect(side.list).not.toContainText('Temporary chat');
  await side.search.fill('secret');
  await expect(side.list).toContainText('Nothing was found');
  await side.search.fill('');

  // A thousand of them: all there, found, and quick to draw, since what is out of sight is not laid out.
  const [given] = JSON.parse(one.text).conversations;
  const many = Array.from({ length: 1000 }, (_, i) => ({
    ...given,
    id: `many-${i}`,
    title: `Number ${i}`,
    pinned: false,
    updatedAt: given.updatedAt - (i + 1) * 86_400_000,
  }));
  await side.import('many.json', JSON.stringify({ ...JSON.parse(one.text), conversations: many }));
  await expect(side.notice).toContainText('Imported 1000 conversations');
  await expect(side.row('Number 999')).toBeAttached();
  await side.row('Number 999').scrollIntoViewIfNeeded();
  await side.row('Number 999').click();
  await expect(side.row('Number 999')).toHaveAttribute('aria-current', 'true');
  await side.choose('More about all conversations', 'Delete all…');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(side.list).toContainText('They stay in this browser');
});

test('a model is chosen, and a chat has options and a context of its own', async ({ page }, info) => {
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();

  const picker = page.getByRole('button', { name: /^Model: / });
  const set = (settings: object) =>
    page.evaluate((value) => {
      localStorage.setItem('shoal.settings', value);
      dispatchEvent(new StorageEvent('storage', { key: 'shoal.settings' }));
    }, JSON.stringify(settings));

  await page.getByRole('button', { name: /^Model: smollm2.* ready$/i }).click();
  const models = page.getByRole('dialog', { name: 'Models' });
  const model = models.getByRole('button', { name: /smollm2/i });
  await expect(model).toHaveAttribute('aria-current', 'true');
  await expect(models).toContainText('98.4 MB, 30 layers');
  await expect(models).toContainText('kept in this browser');
  // The relay of the tests lends what it serves.
  await expect(models).toContainText('the network can answer with it');
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, 'dialog[open]')).toEqual([]);
    await page.screenshot({ path: info.outputPath(`models-${scheme}.png`) });
  }
  await page.keyboard.press('Escape');
  await expect(models).toBeHidden();

  const meter = page.getByRole('meter', { name: 'Context' });
  await expect(meter).toHaveAttribute('aria-valuetext', /^0 of [\d,]+ tokens$/);
  await chat.ask('What is the capital of France?');
  await expect(meter).toHaveAttribute('aria-valuetext', /^[1-9]\d* of [\d,]+ tokens$/);

  // While an answer is written, another model is loaded only after it was asked.
  await set({ temperature: 0, maxTokens: 400 });
  await chat.box.fill('Write a long story about a fish.');
  await chat.send.click();
  await expect(chat.stop).toBeVisible();
  await picker.click();
  await models.getByRole('button', { name: 'Open a model file…' }).click();
  await expect(models.getByRole('alert')).toContainText('Changing the model stops it');
  await models.getByRole('button', { name: 'Keep writing' }).click();
  await expect(models.getByRole('alert')).toHaveCount(0);
  await expect(chat.log).toHaveAttribute('aria-busy', 'true');
  await models.getByRole('button', { name: 'Open a model file…' }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    models.getByRole('button', { name: 'Stop and change' }).click(),
  ]);
  const buffer = Buffer.from(tinyModel());
  await chooser.setFiles({ name: 'tiny.gguf', mimeType: 'application/octet-stream', buffer });
  await expect(models).toBeHidden();
  await expect(picker).toContainText(/Tiny shoal\s+ready/);
  await chat.finished();

  await page.getByRole('button', { name: 'Chat options' }).click();
  const options = page.getByRole('dialog', { name: 'This chat' });
  await options.getByRole('textbox', { name: 'System prompt' }).fill('You are a fish. Answer in one word.');
  await expect(options).toContainText(/about 11 of the 256 tokens/);
  await options.getByRole('checkbox', { name: 'As in the settings: 400' }).uncheck();
  const longest = options.getByRole('textbox', { name: 'Longest answer, in tokens' });
  await longest.fill('a lot');
  await expect(longest).toHaveAttribute('aria-invalid', 'true');
  await longest.fill('2');
  await options.getByRole('checkbox', { name: 'Random at each answer' }).uncheck();
  await options.getByRole('textbox', { name: 'Seed' }).fill('7');
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, 'dialog[open]')).toEqual([]);
    await page.screenshot({ path: info.outputPath(`options-${scheme}.png`) });
  }
  await page.keyboard.press('Escape');
  const button = page.getByRole('button', { name: 'Chat options, 3 options of its own' });
  await expect(button).toBeFocused();
  // They hold: the thread asks with them, and they are there after a reload.
  await page.evaluate(() => {
    const { completions } = window.shoal.chat;
    const { create } = completions;
    completions.create = ((given: Parameters<typeof create>[0]) => {
      const { messages, max_tokens, seed, temperature } = given;
      document.body.dataset.asked = JSON.stringify({ first: messages[0], max_tokens, seed, temperature });
      return create.call(completions, given);
    }) as typeof create;
  });
  await chat.ask('Who are you?');
  expect(await page.evaluate(() => JSON.parse(document.body.dataset.asked ?? 'null'))).toEqual({
    first: { role: 'system', content: 'You are a fish. Answer in one word.' },
    max_tokens: 2,
    seed: 7,
    temperature: 0,
  });
  await page.reload();
  await button.click();
  await expect(options.getByRole('textbox', { name: 'System prompt' })).toHaveValue(/You are a fish/);
  await options.getByRole('button', { name: 'All as in the settings' }).click();
  await expect(options.getByRole('textbox', { name: 'System prompt' })).toHaveValue('');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Chat options', exact: true })).toBeVisible();

  // A chat that is nearly full says so, and offers a new one.
  await chat.ready();
  await page.getByRole('complementary').getByRole('button', { name: 'New chat', exact: true }).click();
  await set({ temperature: 0, maxTokens: 1 });
  await chat.ask('Hi');
  const [used = 0, most = 0] = (await meter.getAttribute('aria-valuetext'))?.match(/\d+/g)?.map(Number) ?? [];
  expect(most).toBe(256);
  await chat.ask('x'.repeat(Math.ceil(most * 0.82) - used));
  await expect(page.getByText('This chat is nearly full.')).toBeVisible();
  await page.screenshot({ path: info.outputPath('nearly-full.png') });
  await page.getByRole('status').getByRole('button', { name: 'New chat' }).click();
  await expect(meter).toHaveAttribute('aria-valuetext', /^0 of/);
});

test('on a phone the conversations are a drawer that keeps the keyboard, and everything fits', async ({
  page,
}, info) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 8 });
  await chat.ready();
  await chat.ask('Why do fish swim in shoals, and what would a very long title do to a small page?');
  const menu = page.getByRole('button', { name: 'Chats', exact: true });
  await menu.click();
  const drawer = page.getByRole('dialog', { name: 'Conversations' });
  await expect(drawer).toBeVisible();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    const inside = await page.evaluate(
      () => document.activeElement?.closest('dialog') !== null || document.activeElement === document.body,
    );
    expect(inside).toBe(true);
  }
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, 'dialog[open]')).toEqual([]);
    await page.screenshot({ path: info.outputPath(`drawer-${scheme}.png`) });
  }
  await drawer.getByRole('button', { name: /^More about “Why/ }).click();
  await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeInViewport({ ratio: 1 });
  await page.screenshot({ path: info.outputPath('drawer-menu.png') });
  await page.keyboard.press('Escape');
  await expect(drawer).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();
  await expect(menu).toBeFocused();

  await menu.click();
  await drawer.getByRole('button', { name: 'New chat', exact: true }).click();
  await expect(drawer).toBeHidden();
  await expect(chat.answers).toHaveCount(0);

  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  await page.getByRole('button', { name: /^Model: / }).click();
  await expect(page.getByRole('dialog', { name: 'Models' })).toContainText('30 layers');
  await page.screenshot({ path: info.outputPath('models.png') });
  expect(await fits()).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Chat options' }).click();
  await page.getByRole('checkbox', { name: /^As in the settings: 0$/ }).uncheck();
  await page.screenshot({ path: info.outputPath('options.png') });
  expect(await fits()).toBe(true);
});
