import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { ChatPage, type Traffic, watch } from './chat-page.ts';

/** One tab for the whole story: a first visit, answers, Stop, a reload. */
test.describe
  .serial('a person opens the URL and chats', () => {
    let context: BrowserContext;
    let page: Page;
    let chat: ChatPage;
    let traffic: Traffic;
    let modelBytes = 0;

    test.beforeAll(async ({ browser, baseURL }) => {
      context = await browser.newContext({ baseURL, viewport: { width: 1100, height: 800 } });
      page = await context.newPage();
      chat = new ChatPage(page);
      traffic = watch(context, new URL(baseURL!).origin);
    });
    test.afterAll(() => context.close());

    test('the first load shows what it does, in bytes, and one can write meanwhile', async () => {
      await chat.open();
      await expect(page.getByText('What you write never leaves this tab.')).toBeVisible();
      const bar = page.getByRole('progressbar', { name: /^Fetching/ });
      await expect(bar).toBeVisible();
      await expect(bar).toHaveAttribute('aria-valuetext', /[\d.]+ MB of [\d.]+ MB/);
      await chat.box.fill('Written while it loads');
      await expect(chat.box).toHaveValue('Written while it loads');
      await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
      await chat.ready();
      await expect(page.getByRole('progressbar')).toHaveCount(0);
      const [model] = await page.evaluate(() => window.shoal.models());
      modelBytes = model!.bytes;
      expect(model).toMatchObject({ id: 'smollm2-135m-instruct', layers: 30, cached: true });
      expect(traffic.modelBytes).toBeGreaterThan(0.95 * modelBytes);
      expect(traffic.modelBytes).toBeLessThan(1.05 * modelBytes);
    });

    test('without a GPU it says why and computes with WASM', async () => {
      await expect(chat.status).toContainText('WASM');
      await page.getByText('Why?').click();
      await expect(page.getByText(/WebGPU/)).toBeVisible();
      await page.getByText('Why?').click();
    });

    test('an answer is streamed, with its route and speed under it', async () => {
      await chat.box.fill('What is the capital of France?');
      await chat.send.click();
      await expect(chat.stop).toBeVisible();
      const lengths = new Set<number>();
      while ((await chat.log.getAttribute('aria-busy')) === 'true') {
        lengths.add((await chat.lastAnswer()).length);
        await page.waitForTimeout(50);
      }
      expect(lengths.size).toBeGreaterThan(2);
      await expect(chat.answers.last()).toContainText(/in this tab · [\d.]+ tokens\/s · WASM/);
      expect(await chat.lastAnswer()).toContain('Paris');
      // A screen reader hears it once, whole.
      await expect(page.locator('[aria-live=polite]').first()).toContainText('Paris');
    });

    test('at temperature 0 the same question has the same answer', async () => {
      const before = await chat.lastAnswer();
      await page.getByRole('button', { name: 'New chat' }).first().click();
      await expect(chat.answers).toHaveCount(0);
      expect(await chat.ask('What is the capital of France?')).toBe(before);
    });

    test('a second turn computes only what is new', async () => {
      await chat.ask('And of Italy?');
      const usage = await page.evaluate(async () => {
        const turns = [...document.querySelectorAll('[role=log] article')].map((article) => ({
          role: article.getAttribute('aria-label') === 'You' ? ('user' as const) : ('assistant' as const),
          content: article.querySelector('p')!.innerText,
        }));
        const messages = [...turns, { role: 'user' as const, content: 'And of Spain?' }];
        const answer = await window.shoal.chat.completions.create({
          messages,
          temperature: 0,
          max_tokens: 4,
        });
        return answer.usage;
      });
      expect(usage.prompt_tokens).toBeGreaterThan(60);
      // All but the last question and the marks around it.
      expect(usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens).toBeLessThan(24);
    });

    test('Stop stops within a step and keeps what was said', async () => {
      await page.evaluate(() =>
        localStorage.setItem('shoal.settings', JSON.stringify({ temperature: 0, maxTokens: 400 })),
      );
      await chat.box.fill('Write a long story about the sea.');
      await chat.box.press('Enter');
      await expect.poll(() => chat.lastAnswer().then((text) => text.length)).toBeGreaterThan(20);
      const pressed = Date.now();
      await chat.stop.click();
      await chat.finished();
      expect(Date.now() - pressed).toBeLessThan(2000);
      const said = await chat.lastAnswer();
      expect(said).toContain('Stopped.');
      await page.waitForTimeout(500);
      expect(await chat.lastAnswer()).toBe(said);
    });

    test('Escape stops too', async () => {
      await chat.box.fill('Write a long story about a mountain.');
      await chat.box.press('Enter');
      await expect(chat.stop).toBeVisible();
      await page.keyboard.press('Escape');
      await chat.finished();
      await expect(chat.answers.last()).toContainText('Stopped.');
    });

    test('after a reload the conversation and the draft are there and no model byte is fetched', async () => {
      const before = await chat.log.innerText();
      await chat.box.fill('A draft that is not sent');
      traffic.modelBytes = 0;
      await page.reload();
      await expect(chat.answers.first()).toBeVisible();
      await expect(chat.box).toHaveValue('A draft that is not sent');
      await chat.ready();
      expect(traffic.modelBytes).toBe(0);
      expect(firstLines(await chat.log.innerText())).toEqual(firstLines(before));
      await chat.box.fill('');
      expect(await chat.ask('What is the capital of Italy?')).toContain('Rome');
    });

    test('nothing was asked of anyone but the relay, and no policy was violated', () => {
      expect(traffic.foreign).toEqual([]);
      expect(traffic.errors).toEqual([]);
    });
  });

/** The first exchange; later ones end with buttons that depend on how they ended. */
function firstLines(text: string): string[] {
  return text.split('\n').filter(Boolean).slice(0, 3);
}
