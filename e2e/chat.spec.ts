import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import type { CompletionParameters } from '../src/sdk/index.ts';
import { ChatPage, type Traffic, watch } from './chat-page.ts';

/** One tab for the whole story: a first visit, answers, branches, commands, a reload. */
test.describe
  .serial('a person opens the URL and chats', () => {
    let context: BrowserContext;
    let page: Page;
    let chat: ChatPage;
    let traffic: Traffic;

    test.beforeAll(async ({ browser, baseURL }) => {
      context = await browser.newContext({ baseURL, viewport: { width: 1100, height: 800 } });
      page = await context.newPage();
      chat = new ChatPage(page);
      traffic = watch(context, new URL(baseURL!).origin);
    });
    test.afterAll(() => context.close());

    test('the first load shows what it does, in bytes, and one can write meanwhile', async () => {
      await chat.open();
      await expect(page.getByText('A language model in this tab.')).toBeVisible();
      const bar = page.getByRole('progressbar', { name: /^Fetching/ });
      await expect(bar).toBeVisible();
      await expect(bar).toHaveAttribute('aria-valuetext', /[\d.]+ MB of [\d.]+ MB/);
      await chat.box.fill('Written while it loads');
      await expect(chat.box).toHaveValue('Written while it loads');
      await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
      await chat.ready();
      await expect(page.getByRole('progressbar', { name: /^Fetching/ })).toHaveCount(0);
      const [model] = await page.evaluate(() => window.shoal.models());
      expect(model).toMatchObject({ layers: 30, cached: true });
      expect(traffic.modelBytes).toBeGreaterThan(0.95 * model!.bytes);
      expect(traffic.modelBytes).toBeLessThan(1.05 * model!.bytes);
    });

    test('without a GPU it says why and computes with WASM', async () => {
      await expect(chat.status).toContainText('WASM');
      await page.getByText('Why?').click();
      await expect(page.getByText(/WebGPU/)).toBeVisible();
      await page.getByText('Why?').click();
    });

    test('an answer is streamed, told under it, and heard once in whole sentences', async () => {
      await page.evaluate(listen);
      await chat.box.fill('What is the capital of France?');
      await chat.send.click();
      await expect(chat.stop).toBeVisible();
      await expect(chat.box).toBeFocused();
      const lengths = new Set<number>();
      while ((await chat.log.getAttribute('aria-busy')) === 'true') {
        lengths.add((await chat.lastAnswer().catch(() => '')).length);
        await page.evaluate(() => new Promise(requestAnimationFrame));
      }
      expect(lengths.size).toBeGreaterThan(2);
      await expect(chat.answers.last()).toContainText(/in this tab · [\d.]+ tokens\/s · WASM/);
      const answer = await chat.lastAnswer();
      expect(answer).toContain('Paris');
      const heard = await page.evaluate(() => (window as unknown as Listening).heard);
      expect(heard.map(bare).join('')).toBe(bare(`Shoal: ${answer}`));
      // By sentences: fewer than words.
      expect(heard.length).toBeLessThan(answer.split(/\s+/).length);
      await expect(chat.log).toHaveAttribute('aria-live', 'off');
    });

    test('at temperature 0 the same question has the same answer, and an example is asked by one click', async () => {
      const before = await chat.lastAnswer();
      await chat.newChat();
      expect(await chat.ask('What is the capital of France?')).toBe(before);
      await chat.newChat();
      await expect(chat.box).toBeFocused();
      const example = page.getByRole('button', { name: 'What should I see in Lisbon in one day?' });
      expect((await chat.answered(() => example.click())).length).toBeGreaterThan(10);
      await expect(chat.questions).toHaveText(/Lisbon/);
    });

    test('a second turn computes only what is new', async () => {
      await chat.ask('And in Porto?');
      const usage = await page.evaluate(async () => {
        const turns = [...document.querySelectorAll('[role=log] article')].map((article) => ({
          role: article.getAttribute('aria-label') === 'You' ? ('user' as const) : ('assistant' as const),
          content: article.querySelector<HTMLElement>('[data-part=text]')!.innerText.trim(),
        }));
        const messages = [...turns, { role: 'user' as const, content: 'And of Spain?' }];
        const asked = { messages, temperature: 0, max_tokens: 4 };
        return (await window.shoal.chat.completions.create(asked)).usage;
      });
      expect(usage.prompt_tokens).toBeGreaterThan(60);
      expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(24);
    });

    test('an answer is tried again, a question edited, and every version can be seen', async () => {
      await chat.newChat();
      const first = await chat.ask('Name a colour.');
      const answer = chat.answers.last();
      await chat.answered(() => answer.getByRole('button', { name: 'Try again' }).click());
      await expect(answer.getByRole('group', { name: 'Versions' })).toHaveText('2 of 2');
      await answer.getByRole('button', { name: 'Earlier version' }).click();
      await expect(answer.getByRole('group', { name: 'Versions' })).toHaveText('1 of 2');
      expect(await chat.lastAnswer()).toBe(first);

      // Escape leaves everything as it was.
      const question = chat.questions.last();
      await chat.box.press('ArrowUp');
      const editor = page.getByRole('textbox', { name: 'Your question, to be changed' });
      await expect(editor).toBeFocused();
      await expect(editor).toHaveValue('Name a colour.');
      await editor.fill('Something else');
      await editor.press('Escape');
      await expect(question).toContainText('Name a colour.');
      await expect(chat.box).toBeFocused();

      await question.hover();
      await question.getByRole('button', { name: 'Edit question' }).click();
      await editor.fill('Name a fish.');
      await chat.answered(() => editor.press('Enter'));
      await expect(question).toContainText('Name a fish.');
      await expect(question.getByRole('group', { name: 'Versions' })).toHaveText('2 of 2');
      await question.getByRole('button', { name: 'Earlier version' }).click();
      await expect(question).toContainText('Name a colour.');
      // The newest below it.
      await expect(answer.getByRole('group', { name: 'Versions' })).toContainText('of 2');
    });

    test('Stop and Escape stop within a step and keep what was said, and the answer goes on from there', async () => {
      await settings(page, { temperature: 0, maxTokens: 400 });
      await chat.newChat();
      await chat.box.fill('Write a long story about the sea.');
      await chat.box.press('Enter');
      await expect.poll(() => chat.lastAnswer().catch(() => '')).toMatch(/.{20}/s);
      const pressed = Date.now();
      await chat.stop.click();
      await chat.finished();
      expect(Date.now() - pressed).toBeLessThan(4000);
      await expect(chat.answers.last()).toContainText('Stopped.');
      const said = await chat.lastAnswer();

      await page.getByRole('button', { name: 'Continue' }).click();
      await expect
        .poll(() => chat.lastAnswer().then((text) => text.length))
        .toBeGreaterThan(said.length + 10);
      await page.keyboard.press('Escape');
      await chat.finished();
      expect(plain(await chat.lastAnswer()).startsWith(plain(said))).toBe(true);
      await expect(chat.answers).toHaveCount(1);
      await settings(page, { temperature: 0, maxTokens: 8 });
    });

    test('text files and long pastes are attached, and what is no text is refused', async () => {
      await chat.newChat();
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.getByRole('button', { name: 'Attach text files' }).click(),
      ]);
      await chooser.setFiles([
        { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('The password is swordfish.') },
        { name: 'photo.txt', mimeType: 'text/plain', buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]) },
      ]);
      const attachments = page.getByRole('list', { name: 'Attachments' });
      await expect(attachments).toContainText('notes.txt');
      await expect(page.getByText('“photo.txt” is not a text file.')).toBeVisible();
      await page.getByRole('button', { name: 'Dismiss' }).click();

      const paste = 'fish '.repeat(4_100).trim();
      await chat.box.focus();
      await pasteText(page, paste);
      await expect(chat.box).toHaveValue('');
      await expect(attachments.getByRole('listitem')).toHaveCount(2);
      await attachments.getByRole('button', { name: 'Put it in the box' }).click();
      await expect(chat.box).toHaveValue(paste);
      await expect(attachments.getByRole('listitem')).toHaveCount(1);

      await dropFile(page, 'more.md', '# More');
      await expect(attachments.getByRole('listitem')).toHaveCount(2);
      await attachments.getByRole('button', { name: 'Remove more.md' }).click();
      await page.evaluate(writeDownQuestions);
      await chat.ask('What is the password?');
      await expect(chat.questions.last()).toContainText('notes.txt');
      const asked = await page.evaluate(() => (window as unknown as { asked: string[] }).asked);
      expect(asked.at(-1)).toMatch(
        /notes\.txt[\s\S]*The password is swordfish\.[\s\S]*What is the password\?/,
      );
      await expect(attachments).toHaveCount(0);
    });

    test('slash commands are chosen by keys, and a message may begin with a slash', async () => {
      await chat.box.fill('/');
      const list = page.getByRole('listbox', { name: 'Commands' });
      await expect(list.getByRole('option')).toHaveCount(13);
      await chat.box.press('ArrowDown');
      const chosen = await chat.box.getAttribute('aria-activedescendant');
      await expect(page.locator(`[id="${chosen}"]`)).toHaveText(/temporary/);
      await chat.box.press('Enter');
      await expect(page.getByText('Temporary chat: it is not kept.')).toBeVisible();
      await expect(chat.box).toHaveValue('');

      await chat.box.fill('/help');
      await chat.box.press('Enter');
      await expect(page.getByRole('dialog', { name: 'Commands and shortcuts' })).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await expect(chat.box).toBeFocused();

      await chat.box.fill('/sys');
      await chat.box.press('Escape');
      await expect(list).toHaveCount(0);
      await expect(chat.box).toHaveValue('/sys');
      await chat.box.fill('/system You are a fish.');
      await chat.box.press('Enter');
      await expect(chat.questions).toHaveCount(0);
      await chat.ask('//new is what?');
      await expect(chat.questions.last()).toContainText('/new is what?');
      await chat.ask('/etc');
      await expect(chat.questions.last()).toContainText('/etc');
      await chat.answered(async () => {
        await chat.box.fill('/retry');
        await chat.box.press('Enter');
      });
      await expect(chat.answers.last().getByRole('group', { name: 'Versions' })).toHaveText('2 of 2');

      await chat.box.fill('/network');
      await chat.box.press('Enter');
      await expect(page).toHaveURL(/#\/network$/);
      await page.getByRole('link', { name: 'Chat' }).click();
    });

    test('shortcuts find the search, a new chat and the help', async () => {
      await page.keyboard.press('Control+/');
      await expect(page.getByRole('dialog', { name: 'Commands and shortcuts' })).toBeVisible();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('searchbox')).toBeFocused();
      await page.keyboard.press('Control+Shift+O');
      await expect(chat.questions).toHaveCount(0);
      await expect(chat.box).toBeFocused();
    });

    test('after a reload conversation, draft, attachment and edit are there and no model byte is fetched', async () => {
      await chat.ask('What is the capital of France?');
      const before = await chat.lastAnswer();
      await chat.box.press('ArrowUp');
      await page.getByRole('textbox', { name: 'Your question, to be changed' }).fill('Half changed');
      await chat.box.fill('A draft that is not sent');
      await dropFile(page, 'kept.txt', 'kept over a reload');
      await expect(page.getByRole('list', { name: 'Attachments' })).toContainText('kept.txt');
      traffic.modelBytes = 0;
      await page.reload();
      await expect(chat.answers.first()).toBeVisible();
      await expect(chat.box).toHaveValue('A draft that is not sent');
      await expect(page.getByRole('list', { name: 'Attachments' })).toContainText('kept.txt');
      const editor = page.getByRole('textbox', { name: 'Your question, to be changed' });
      await expect(editor).toHaveValue('Half changed');
      await editor.press('Escape');
      await chat.ready();
      expect(traffic.modelBytes).toBe(0);
      expect(await chat.lastAnswer()).toBe(before);
      await page.getByRole('button', { name: 'Remove kept.txt' }).click();
      expect((await chat.ask('What is the capital of Italy?')).length).toBeGreaterThan(0);
    });

    test('nothing was asked of anyone but the relay, and no policy was violated', () => {
      expect(traffic.foreign).toEqual([]);
      expect(traffic.errors).toEqual([]);
    });
  });

test('a cold visitor on a phone is answered over the network before the model has arrived', async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({
    baseURL,
    viewport: { width: 360, height: 740 },
    hasTouch: true,
  });
  try {
    const page = await context.newPage();
    const chat = new ChatPage(page);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    // Slow enough that the whole model takes a minute more.
    const slow = { offline: false, latency: 20, downloadThroughput: 1_500_000, uploadThroughput: 1_500_000 };
    await session.send('Network.emulateNetworkConditions', slow);
    await chat.open({ temperature: 0, maxTokens: 8 });
    await page.getByRole('button', { name: 'Write a short poem about a shoal of fish.' }).click();
    await expect(chat.answers.last()).toContainText('Waits for the model…');
    // The relay of this test holds all layers, so there is something to choose.
    await page.getByRole('button', { name: /^Answer now over the network/ }).click();
    await chat.finished();
    expect((await chat.lastAnswer()).length).toBeGreaterThan(0);
    await expect(chat.answers.last()).toContainText(/over \d+ peer/);
    expect(await page.evaluate(() => window.shoal.status.get().phase)).toBe('fetching');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
  } finally {
    await context.close();
  }
});

interface Listening {
  heard: string[];
}

/** Runs in the page: writes down what a screen reader is given to say. */
function listen(): void {
  const heard: string[] = [];
  Object.assign(window, { heard });
  const region = document.querySelector('.chat > [aria-live=polite]')!;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) heard.push(node.textContent ?? '');
    }
  }).observe(region, { childList: true, subtree: true });
}

/** Runs in the page: keeps what the model is asked; it is asked all the same. */
function writeDownQuestions(): void {
  const asked: string[] = [];
  Object.assign(window, { asked });
  const { completions } = window.shoal.chat;
  const create = completions.create.bind(completions) as (given: CompletionParameters) => Promise<never>;
  const writing = (given: CompletionParameters) => {
    asked.push(given.messages.at(-1)?.content ?? '');
    return create(given);
  };
  Object.assign(completions, { create: writing });
}

/** Letters and digits alone: a sentence is said without the marks of Markdown. */
function bare(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '');
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

async function settings(page: Page, value: object): Promise<void> {
  await page.evaluate((text) => {
    localStorage.setItem('shoal.settings', text);
    // As a change in another tab is told.
    dispatchEvent(new StorageEvent('storage', { key: 'shoal.settings' }));
  }, JSON.stringify(value));
}

async function pasteText(page: Page, text: string): Promise<void> {
  await page.evaluate((pasted) => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    document.activeElement!.dispatchEvent(event);
  }, text);
}

async function dropFile(page: Page, name: string, text: string): Promise<void> {
  await page.evaluate(
    ([name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], name));
      const target = document.querySelector('[role=log]')!;
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
      }
    },
    [name, text] as const,
  );
}
