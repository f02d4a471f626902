import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { AppPage } from './pwa/app-page.ts';
import { NewerPage } from './pwa/newer-page.ts';
import { MODEL, RelayProcess } from './relay-process.ts';

const SHORT = JSON.stringify({ temperature: 0, maxTokens: 8 });
const LONG = JSON.stringify({ temperature: 0, maxTokens: 400 });

let folder: string;
let relay: RelayProcess;
let context: BrowserContext;
let first: AppPage;
let newer: NewerPage | undefined;

test.describe
  .serial('the page is an app', () => {
    test.beforeAll(async ({ browser }) => {
      folder = await mkdtemp(join(tmpdir(), 'shoal-relay-'));
      relay = await RelayProcess.start(0, flags());
      context = await browser.newContext({ baseURL: relay.url });
      first = await AppPage.open(context, '/');
      await first.page.evaluate((value) => localStorage.setItem('shoal.settings', value), SHORT);
      await first.page.reload();
    });
    test.afterAll(async () => {
      await context?.close();
      await relay?.kill();
      await newer?.remove();
      await rm(folder, { recursive: true, force: true });
    });

    test('without a relay it opens, isolated and under its policy, and the kept model answers', async () => {
      await first.ready();
      await first.kept();
      await first.answersOffline();
      const answer = await first.ask('What is the capital of France?');
      await relay.kill();
      const second = await AppPage.open(context, '/');
      await second.ready();
      expect(await second.page.evaluate(() => crossOriginIsolated)).toBe(true);
      const policy = await second.page.evaluate(() =>
        fetch('/manifest.webmanifest').then(({ headers }) => headers.get('content-security-policy')),
      );
      expect(policy).toContain("script-src 'self'");
      await expect(second.log).toContainText(answer.slice(0, 20));
      await second.page.getByRole('button', { name: 'New chat' }).first().click();
      expect(await second.ask('What is the capital of France?')).toBe(answer);
      for (const view of ['Share', 'Network', 'Settings'] as const) await second.view(view);
      await second.page.close();
    });

    test('a device without any network is told so, and told when it is back', async () => {
      await context.setOffline(true);
      await expect(first.page.getByText('You are offline. Answers come from this tab')).toBeVisible();
      expect((await first.ask('And of Italy?')).length).toBeGreaterThan(0);
      await context.setOffline(false);
      await expect(first.page.getByText('You are offline.')).toBeHidden();
    });

    test('files and words that are shared to it arrive in the composer, once', async () => {
      relay = await RelayProcess.start(relay.port, flags());
      const page = await context.newPage();
      await share(page, {
        words: { title: 'Tides', text: 'What does this say?', url: 'https://a.example/tides' },
        files: [
          { name: 'tides.md', mimeType: 'text/markdown', buffer: Buffer.from('# Tides\n\nTwice a day.') },
        ],
      });
      const shared = new AppPage(page);
      await expect(page).toHaveURL(`${relay.url}/#/chat`);
      await expect(shared.box).toHaveValue(/Tides\nWhat does this say\?\nhttps:\/\/a\.example\/tides/);
      await expect(page.getByText('tides.md')).toBeVisible();
      expect(
        await page.evaluate(async () => (await (await caches.open('shoal-launched')).keys()).length),
      ).toBe(0);
      await page.close();
    });

    test('a file that the system opens with it arrives in the composer', async () => {
      const page = await context.newPage();
      // Only the system's own hand is missing here: it calls whom the page gave to the queue.
      await page.addInitScript(() => {
        const handle = {
          getFile: async () => new File(['Twice a day.'], 'opened.txt', { type: 'text/plain' }),
        };
        const launchQueue = {
          setConsumer: (take: (launch: { files: unknown[] }) => void) => take({ files: [handle] }),
        };
        Object.defineProperty(window, 'launchQueue', { value: launchQueue });
      });
      await page.goto('/');
      await expect(page.getByText('opened.txt')).toBeVisible();
      await page.close();
    });

    test('nine files at once are refused with a reason', async () => {
      const page = await context.newPage();
      const files = Array.from({ length: 9 }, (_, i) => ({
        name: `${i}.txt`,
        mimeType: 'text/plain',
        buffer: Buffer.from('x'),
      }));
      await share(page, { words: {}, files });
      await expect(page.getByRole('alert')).toContainText('more than this page takes at once: 8 files');
      await page.getByRole('button', { name: 'Dismiss' }).click();
      await expect(page.getByText('more than this page takes at once')).toBeHidden();
      await page.close();
    });

    test('an answer is told by a notification of its worker', async () => {
      await context.grantPermissions(['notifications'], { origin: relay.url });
      const told = await first.page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        registration.active!.postMessage({ kind: 'notify', title: 'Shoal has answered', text: 'Paris.' });
        for (;;) {
          const [notification] = await registration.getNotifications();
          if (notification)
            return [notification.title, notification.body, new URL(notification.icon).pathname];
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
      });
      expect(told).toEqual(['Shoal has answered', 'Paris.', '/icon-192.png']);
    });

    test('a newer page waits, is told in every tab, and no tab gets parts of both', async () => {
      await first.kept();
      const second = await AppPage.open(context, '/');
      await second.box.fill('A draft');
      newer = await NewerPage.make();
      await relay.kill();
      relay = await RelayProcess.start(relay.port, flags(), newer.root);
      // A visit makes the browser look for a newer worker. It still gets the page that is kept.
      const third = await AppPage.open(context, '/');
      for (const tab of [first, second, third]) await expect(tab.newer).toBeVisible();
      expect(await third.mark('build')).toBe(undefined);
      expect(await first.builds()).toHaveLength(2);
      // The relay no longer has this part of the old page.
      await third.view('Share');
      expect(await third.mark('share')).toBe(undefined);
      await third.view('Chat');

      const said = await third.lastAnswer();
      await third.reload.click();
      await third.page.waitForFunction(() => document.documentElement.dataset.build === 'newer');
      await expect(third.newer).toBeHidden();
      await expect(third.answers.last()).toContainText(said.slice(0, 20));
      await third.view('Share');
      expect(await third.mark('share')).toBe('newer');
      await third.page.close();

      // The other tabs go on as they are, with their own parts.
      await expect(second.newer).toBeVisible();
      await expect(second.box).toHaveValue('A draft');
      await second.view('Share');
      await second.view('Settings');
      expect([await second.mark('build'), await second.mark('share')]).toEqual([undefined, undefined]);
      await second.page.close();
    });

    test('in the middle of an answer the reload asks first, and what was said is kept', async () => {
      const other = await AppPage.open(context, '/');
      // Settings of another tab arrive in this one.
      await other.page.evaluate((value) => localStorage.setItem('shoal.settings', value), LONG);
      // The mark is set when the last conversation was read, which no load event waits for.
      await expect.poll(() => other.mark('build')).toBe('newer');
      await other.page.close();
      await first.box.fill('Write a long story about the sea.');
      await first.box.press('Enter');
      await expect.poll(() => first.lastAnswer().then((text) => text.length)).toBeGreaterThan(40);
      await first.reload.click();
      const dialog = first.page.getByRole('dialog', { name: 'Reload now?' });
      await dialog.getByRole('button', { name: 'Not now' }).click();
      await expect(dialog).toBeHidden();
      await expect(first.log).toHaveAttribute('aria-busy', 'true');
      await first.reload.click();
      const begun = (await first.lastAnswer()).slice(0, 40);
      await dialog.getByRole('button', { name: 'Stop and reload' }).click();
      await first.page.waitForFunction(() => document.documentElement.dataset.build === 'newer');
      await expect(first.answers.last()).toContainText(begun);
      // No page is of the old build any more.
      await expect.poll(() => first.builds()).toHaveLength(1);
    });

    test('storage that is wiped under it is told, and it goes on', async () => {
      await first.page.evaluate((value) => localStorage.setItem('shoal.settings', value), SHORT);
      await first.ready();
      const session = await context.newCDPSession(first.page);
      await session.send('Storage.clearDataForOrigin', { origin: relay.url, storageTypes: 'all' });
      await expect(first.page.getByText('What this browser kept for Shoal was deleted')).toBeVisible();
      await first.page.getByRole('button', { name: 'Dismiss' }).click();
      expect((await first.ask('What is the capital of Spain?')).length).toBeGreaterThan(0);
      await first.kept();
      expect(await first.builds()).toHaveLength(1);
    });
  });

function flags(): string[] {
  return ['--data', folder, '--model', resolve(MODEL)];
}

/** As the system's share menu does: a form that no page of this origin sends. */
async function share(
  page: Page,
  {
    words,
    files,
  }: { words: Record<string, string>; files: { name: string; mimeType: string; buffer: Buffer }[] },
): Promise<void> {
  const inputs = Object.keys(words).map((name) => `<textarea name="${name}"></textarea>`);
  await page.setContent(
    `<form method="post" enctype="multipart/form-data" action="${relay.url}/share-target">
       ${inputs.join('')}<input type="file" name="files" multiple /><button>Send</button>
     </form>`,
  );
  for (const [name, value] of Object.entries(words)) await page.locator(`[name=${name}]`).fill(value);
  await page.locator('input').setInputFiles(files);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.waitForURL(`${relay.url}/#/chat`);
}
