import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FindOptions, findBrowser, type WantedBrowser } from './find-browser.ts';

const CHROMIUM: WantedBrowser = {
  name: 'Chromium',
  variable: 'SHOAL_CHROMIUM',
  programs: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
  async paths() {
    const { chromium } = await import('@playwright/test');
    const applications = process.platform === 'darwin' ? ['Chromium', 'Google Chrome'] : [];
    return [
      ...applications.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
      chromium.executablePath(),
    ];
  },
  debianPackage: 'chromium',
  installer() {
    const manifest = createRequire(import.meta.url).resolve('@playwright/test/package.json');
    return [process.execPath, join(dirname(manifest), 'cli.js'), 'install', 'chromium'];
  },
};

/**
 * The path of a Chromium: `SHOAL_CHROMIUM`, one installed on this machine, Playwright's own, else it installs one.
 * @throws Error that says what was tried and what to do
 */
export function findChromium(options: FindOptions = {}): Promise<string> {
  return findBrowser(CHROMIUM, options);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await findChromium());
