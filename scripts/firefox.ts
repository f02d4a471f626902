import { fileURLToPath } from 'node:url';
import { type FindOptions, findBrowser, type WantedBrowser } from './find-browser.ts';

const FIREFOX: WantedBrowser = {
  name: 'Firefox',
  variable: 'SHOAL_FIREFOX',
  // Playwright's own is a patched build that no WebDriver drives.
  programs: ['firefox-esr', 'firefox'],
  paths: async () =>
    process.platform === 'darwin' ? ['/Applications/Firefox.app/Contents/MacOS/firefox'] : [],
  debianPackage: 'firefox-esr',
  installer: null,
};

/**
 * The path of a Firefox: `SHOAL_FIREFOX`, one installed on this machine, else on Debian it installs one.
 * @throws Error that says what was tried and what to do
 */
export function findFirefox(options: FindOptions = {}): Promise<string> {
  return findBrowser(FIREFOX, options);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await findFirefox());
