import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { findFirefox } from '../../scripts/firefox.ts';

/** A Firefox driven through WebDriver BiDi, which Playwright does not speak to a Firefox that is not its own. */
export async function openFirefox(): Promise<Browser> {
  return puppeteer.launch({ browser: 'firefox', executablePath: await findFirefox(), headless: true });
}

/** Sets what the page reads at its start, then opens it. The first document of an origin is needed for its storage. */
export async function visit(page: Page, url: string, settings: object): Promise<void> {
  await page.goto(`${url}/icon-192.png`);
  await page.evaluate((value) => localStorage.setItem('shoal.settings', value), JSON.stringify(settings));
  await page.goto(url);
}
