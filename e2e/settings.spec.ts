import { readFile } from 'node:fs/promises';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { violations } from './axe.ts';
import { ChatPage } from './chat-page.ts';
import { MODEL, RelayProcess } from './relay-process.ts';

/** A section of the settings, by its heading. */
function section(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

function kept(page: Page): Promise<Record<string, unknown>> {
  return page.evaluate(() => JSON.parse(localStorage.getItem('shoal.settings') ?? '{}'));
}

async function openSettings(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible();
}

test('each setting is kept, takes effect, and survives a reload', async ({
  page,
  context,
  baseURL,
}, info) => {
  const chat = new ChatPage(page);
  await page.goto('/');
  await openSettings(page);
  const saved = page.getByRole('status', { name: 'Saved' });

  const answers = section(page, 'Answers');
  await answers.getByRole('slider', { name: /^Temperature/ }).fill('0');
  await expect(saved).toHaveText('Saved');
  await answers.getByRole('slider', { name: /^Top-p/ }).fill('0.9');
  const longest = answers.getByRole('textbox', { name: 'Longest answer, in tokens' });
  await longest.fill('99999');
  await expect(longest).toHaveAttribute('aria-invalid', 'true');
  await expect(answers).toContainText('A number from 1 to 4096.');
  await longest.fill('6');

  const privacy = section(page, 'Privacy and route');
  await privacy.getByRole('combobox', { name: 'Where answers come from' }).selectOption('This tab only');
  await privacy.getByRole('combobox', { name: 'On the network' }).selectOption('Light');
  await privacy.getByRole('combobox', { name: /still on its way/ }).selectOption('Waits for this tab');

  await privacy.getByRole('button', { name: 'How, and what else leaves this tab' }).click();
  await expect(page.getByRole('dialog', { name: 'Who can read what' })).toContainText('hidden states');
  await page.keyboard.press('Escape');

  const look = section(page, 'Appearance');
  const root = page.locator('html');
  await look.getByRole('combobox', { name: 'Colours' }).selectOption('Dark');
  await expect(root).toHaveCSS('color-scheme', 'dark');
  await look.getByRole('combobox', { name: 'Motion' }).selectOption('None');
  await expect(root).toHaveAttribute('data-motion', 'less');
  await look.getByRole('combobox', { name: 'Text' }).selectOption('Large');
  await expect(root).toHaveCSS('font-size', '19px');
  await section(page, 'Language').getByRole('combobox').selectOption('English');

  // Leave to notify is asked for by the switch; a refusal is told, and nothing is switched on.
  const notify = section(page, 'Notifications').getByRole('switch');
  await context.clearPermissions();
  await notify.click();
  await expect(section(page, 'Notifications')).toContainText('does not allow notifications');
  await expect(notify).not.toBeChecked();

  await page.reload();
  await expect(root).toHaveAttribute('data-text', 'large');
  await expect(longest).toHaveValue('6');
  await expect(privacy.getByRole('combobox', { name: 'On the network' })).toHaveValue('light');
  expect(await kept(page)).toMatchObject({
    temperature: 0,
    topP: 0.9,
    maxTokens: 6,
    route: 'local',
    privacy: 'light',
    whileLoading: 'wait',
    theme: 'dark',
    motion: 'less',
    textSize: 'large',
    language: 'en',
    notify: false,
  });

  // They hold: an answer of six tokens at most, greedy, from this tab.
  await page.evaluate(() => window.shoal.ready);
  await page.getByRole('link', { name: 'Chat' }).click();
  const asked = page.evaluate(() => {
    const { completions } = window.shoal.chat;
    const { create } = completions;
    return new Promise<object>((resolve) => {
      completions.create = ((given: Parameters<typeof create>[0]) => {
        const { max_tokens, temperature, top_p, route, privacy } = given;
        resolve({ max_tokens, temperature, top_p, route, privacy });
        return create.call(completions, given);
      }) as typeof create;
    });
  });
  await chat.ask('What is the capital of France?');
  expect(await asked).toEqual({
    max_tokens: 6,
    temperature: 0,
    top_p: 0.9,
    route: 'local',
    privacy: 'light',
  });

  // The keyboard reaches every control; axe finds nothing, whatever the colours.
  await openSettings(page);
  for (const theme of ['Dark', 'Light']) {
    await look.getByRole('combobox', { name: 'Colours' }).selectOption(theme);
    await expect(section(page, 'Storage')).toContainText('1 conversation is kept.');
    expect(await violations(page, '.settings')).toEqual([]);
    await page.screenshot({ path: info.outputPath(`settings-${theme}.png`) });
  }
  await section(page, 'Answers').getByRole('button', { name: 'Back to the defaults' }).click();
  expect(await kept(page)).toMatchObject({ temperature: 0.3, topP: 1, maxTokens: 512, theme: 'light' });

  // Relays: only what answers as one is taken without a question, and joined after a reload.
  const relays = section(page, 'Relays');
  const address = relays.getByRole('textbox', { name: 'Address of a relay' });
  await address.fill('not an address');
  await address.press('Enter');
  await expect(relays).toContainText('This is no address of a relay.');
  await address.fill('http://127.0.0.1:1');
  await address.press('Enter');
  await expect(relays).toContainText('does not answer');
  await expect(address).toBeFocused();
  const other = await RelayProcess.start(0, ['--data', info.outputPath('relay'), '--model', MODEL]);
  try {
    await address.fill(other.url);
    await relays.getByRole('button', { name: 'Check and add' }).click();
    await expect(relays).toContainText(`${other.url}/ was added.`);
    await expect(relays.getByRole('list', { name: 'Relays to join' })).toContainText(other.url);
    const [request] = await Promise.all([
      context.waitForEvent('request', (request) => request.url() === `${other.url}/models/index.json`),
      relays.getByRole('button', { name: 'Reload now' }).click(),
    ]);
    expect(new URL(request.url()).origin).not.toBe(baseURL);
    await expect(relays.getByRole('button', { name: 'Reload now' })).toHaveCount(0);
    await relays.getByRole('button', { name: `Remove ${other.url}/` }).click();
    await expect(relays).toContainText('The page’s own relay is used.');
    expect((await kept(page)).relays).toEqual([]);
  } finally {
    await other.kill();
  }
});

/** Names of everything that the origin keeps, and the sizes of its small storages. */
function left(page: Page): Promise<Record<string, unknown>> {
  return page.evaluate(async () => {
    const files: string[] = [];
    const walk = async (folder: FileSystemDirectoryHandle) => {
      for await (const [name, entry] of folder.entries()) {
        files.push(name);
        if (entry.kind === 'directory') await walk(entry as FileSystemDirectoryHandle);
      }
    };
    await walk(await navigator.storage.getDirectory());
    return {
      files,
      databases: (await indexedDB.databases()).map(({ name }) => name),
      caches: await caches.keys(),
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      workers: (await navigator.serviceWorker.getRegistrations()).length,
    };
  });
}

test('everything is taken along, deleted to the last byte in every tab, and brought back', async ({
  page,
  context,
  baseURL,
}, info) => {
  const chat = new ChatPage(page);
  await page.goto('/');
  // Not by a script at each start: after the deletion there must be none of it.
  await page.evaluate(
    (settings) => localStorage.setItem('shoal.settings', settings),
    JSON.stringify({ temperature: 0, maxTokens: 4, textSize: 'large' }),
  );
  await page.reload();
  await chat.ready();
  await chat.ask('Why do fish swim in shoals?');
  const second = await context.newPage();
  await second.goto('/#/chat');
  await second.evaluate(() => window.shoal.ready);

  await openSettings(page);
  const storage = section(page, 'Storage');
  await expect(storage.getByRole('list')).toContainText('98.4 MB');
  await expect(storage.getByRole('meter', { name: 'Space used' })).toBeVisible();
  const before = await left(page);
  expect(before.files).toContain('shoal-models');
  expect(before.databases).not.toEqual([]);

  const data = section(page, 'Your data');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    data.getByRole('button', { name: 'Export everything' }).click(),
  ]);
  const backup = await readFile(await download.path());
  expect(JSON.parse(backup.toString()).settings).toMatchObject({ maxTokens: 4, textSize: 'large' });

  await data.getByRole('button', { name: 'Delete everything…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete everything?' });
  const word = dialog.getByRole('textbox', { name: 'Write “delete” to confirm' });
  await word.fill('del');
  await expect(dialog.getByRole('button', { name: 'Delete everything' })).toBeDisabled();
  expect(await violations(page, 'dialog[open]')).toEqual([]);
  await page.screenshot({ path: info.outputPath('wipe.png') });
  await word.fill('delete');
  await word.press('Enter');
  const wiped = page.getByRole('alertdialog', { name: 'Everything is deleted' });
  await expect(wiped).toBeVisible();
  await expect(second.getByRole('alertdialog')).toContainText('deleted in another tab');

  // The other tab has ended as well: what would bring things back is given its chance, then all is looked at.
  await second.evaluate(() => window.dispatchEvent(new Event('pagehide')));
  await second.close();
  await page.evaluate(() => window.dispatchEvent(new Event('pagehide')));
  await page.screenshot({ path: info.outputPath('wiped.png') });
  // A page without a program, at the same origin, looks: this one has shut its doors.
  const looker = await context.newPage();
  await looker.goto('/healthz');
  expect(await left(looker)).toEqual({
    files: [],
    databases: [],
    caches: [],
    local: [],
    session: [],
    workers: 0,
  });
  await looker.close();

  await wiped.getByRole('button', { name: 'Start anew' }).click();
  await expect(page).toHaveURL(`${baseURL}/`);
  await expect(page.locator('html')).toHaveAttribute('data-text', 'normal');
  await expect(page.getByRole('complementary', { name: 'Conversations' })).toContainText(
    'They stay in this browser',
  );

  await openSettings(page);
  const take = async (name: string, buffer: Buffer) => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      data.getByRole('button', { name: 'Import…' }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'application/json', buffer });
  };
  await take('garbage.json', Buffer.from('{'));
  await expect(data.getByRole('alert')).toContainText('it is no JSON');
  await take('backup.json', backup);
  await expect(data).toContainText('The settings of the file hold now. Imported 1 conversation.');
  await expect(page.locator('html')).toHaveAttribute('data-text', 'large');
  await page.getByRole('link', { name: 'Chat' }).click();
  await page.getByRole('button', { name: 'Why do fish swim in shoals?', exact: true }).click();
  await expect(chat.answers).toHaveCount(1);
});

test('on a phone the settings fit, with large text and by keyboard', async ({ page }, info) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 4 });
  await openSettings(page);
  await section(page, 'Appearance').getByRole('combobox', { name: 'Text' }).selectOption('Large');
  const wide = await page.evaluate(() => {
    const view = document.querySelector('.view.scrolls');
    return view === null || view.scrollWidth > view.clientWidth;
  });
  expect(wide).toBe(false);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, '.settings')).toEqual([]);
    for (const name of ['Answers', 'Relays', 'Your data']) {
      await section(page, name).scrollIntoViewIfNeeded();
      await page.screenshot({ path: info.outputPath(`${name}-${scheme}.png`) });
    }
  }
  // Tab goes through every control of the view, and each one shows that it has the focus.
  await page.getByRole('main').focus();
  const controls = await page.locator('.settings :is(button, input, select, a):enabled, .settings a').count();
  let reached = 0;
  for (let i = 0; i < controls + 5; i++) {
    await page.keyboard.press('Tab');
    const outlined = await page.evaluate(() => {
      const element = document.activeElement;
      return element?.closest('.settings') ? getComputedStyle(element).outlineStyle : null;
    });
    if (outlined === null) continue;
    expect(outlined).toBe('solid');
    reached++;
  }
  expect(reached).toBeGreaterThan(12);
});
