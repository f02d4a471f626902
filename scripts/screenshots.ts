/**
 * `npm run screenshots`: pictures of every view, light and dark, desktop and phone, out of the built page with a relay,
 * three tabs that lend and a real conversation; into docs/screenshots/.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { launchChromium } from '../e2e/lab/launch.ts';
import { TestRelay } from '../e2e/network/relay.ts';
import { Tab } from '../e2e/network/tab.ts';
import { buildPage } from '../relay/build.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'docs/screenshots');
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;
const VIEWS = ['chat', 'share', 'network', 'settings'] as const;
const LENT = [
  [2, 12],
  [10, 22],
  [20, 30],
] as const;
const QUESTIONS = [
  'Write a Python function that counts the words of a text, and explain it in one sentence.',
  'Why do fish swim in shoals?',
];

/** By name; written when all were made, so that a run that fails leaves the former ones. */
const pictures = new Map<string, Buffer>();

async function main(): Promise<void> {
  await buildPage(ROOT);
  const browser = await launchChromium();
  const relay = await TestRelay.startNamed('none');
  try {
    for (const [start, end] of LENT) await (await Tab.open(browser, relay.url)).share(start, end);
    const asked = await askedContext(browser, relay.url);
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const scheme of ['light', 'dark'] as const) {
        for (const view of VIEWS) {
          await asked.page.setViewportSize(viewport);
          await asked.page.emulateMedia({ colorScheme: scheme });
          await show(asked.page, view);
          await take(asked.page, `${view}-${size}-${scheme}.png`);
        }
      }
    }
    await firstVisits(browser, relay.url);
    await asked.context.close();
  } finally {
    await browser.close();
    await relay.close();
  }
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const [name, bytes] of pictures) await writeFile(join(FOLDER, name), bytes);
}

async function take(page: Page, name: string): Promise<void> {
  pictures.set(name, await page.screenshot());
  console.log(name);
}

/** A page on which two questions were answered, over the network, and which lends as well. */
async function askedContext(browser: Browser, url: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ baseURL: url, viewport: SIZES.desktop });
  const page = await context.newPage();
  await page.addInitScript(
    (value) => {
      localStorage.getItem('shoal.settings') ?? localStorage.setItem('shoal.settings', value);
    },
    JSON.stringify({ route: 'network', temperature: 0, maxTokens: 160, told: ['private'] }),
  );
  await page.goto('/');
  for (const question of QUESTIONS) {
    await page.getByRole('textbox', { name: 'Message' }).fill(question);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    const log = page.getByRole('log', { name: 'Conversation' });
    await log.and(page.locator('[aria-busy=true]')).waitFor();
    await log.and(page.locator('[aria-busy=false]')).waitFor({ timeout: 120_000 });
  }
  await show(page, 'share');
  await page.getByRole('switch', { name: 'Share this device' }).check();
  await page.waitForFunction(() => window.shoal.membership.get().sharing?.state === 'sharing');
  return { context, page };
}

/** What somebody sees who opens the page for the first time, while the model is on its way. */
async function firstVisits(browser: Browser, url: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const context = await browser.newContext({ baseURL: url, viewport });
    const page = await context.newPage();
    await page.goto('/');
    await page.getByRole('progressbar').first().waitFor();
    await take(page, `first-visit-${size}.png`);
    await context.close();
  }
}

async function show(page: Page, view: (typeof VIEWS)[number]): Promise<void> {
  const name = view[0]!.toUpperCase() + view.slice(1);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name, exact: true }).click();
  if (view !== 'chat') await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  // Two frames: what the view asked for at its first drawing has been drawn as well.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  // The picture of the network comes to rest; whatever else moves has stopped by then.
  if (view === 'network') await page.waitForTimeout(4000);
}

await main();
