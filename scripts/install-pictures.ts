/**
 * `npx tsx scripts/install-pictures.ts`: takes the pictures that browsers show when they offer to install the page
 * (public/screenshots/), of a real answer. They are kept: run it when the page looks different.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { ChatPage } from '../e2e/chat-page.ts';
import { TestRelay } from '../e2e/network/relay.ts';
import { findChromium } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../public/screenshots/', import.meta.url));
/** As the manifest says. */
const PICTURES = [
  { name: 'wide', viewport: { width: 1280, height: 800 } },
  { name: 'narrow', viewport: { width: 390, height: 844 } },
] as const;
const QUESTION = 'Why is the sky blue? Answer in three sentences.';

await mkdir(FOLDER, { recursive: true });
const relay = await TestRelay.startNamed('all');
const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
try {
  const context = await browser.newContext({ baseURL: relay.url, colorScheme: 'light' });
  const page = await context.newPage();
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 120 });
  await page.evaluate(() => window.shoal.ready);
  await chat.ask(QUESTION);
  for (const { name, viewport } of PICTURES) {
    await page.setViewportSize(viewport);
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
  }
} finally {
  await browser.close();
  await relay.close();
}
