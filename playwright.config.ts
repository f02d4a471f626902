import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { MODEL } from './e2e/relay-process.ts';
import { findChromium } from './scripts/chromium.ts';

/** A port that is free now. Workers read this file again, so the first reader leaves it in the environment. */
async function freePort(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(String(port)));
    });
  });
}

process.env.SHOAL_E2E_PORT ??= await freePort();
// A folder of its own: a relay that runs on this machine keeps `data` for itself.
process.env.SHOAL_E2E_DATA ??= mkdtempSync(join(tmpdir(), 'shoal-e2e-'));
process.env.SHOAL_CHROMIUM ??= await findChromium();
const port = Number(process.env.SHOAL_E2E_PORT);

export default defineConfig({
  testDir: 'e2e',
  // One model in one browser keeps two cores busy; beside a second, each takes twice its time, and some their whole.
  workers: 1,
  // A test that passes at the second try is a test that fails.
  retries: 0,
  // The first load fetches 98 MB, makes the weights dense and measures itself.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1100, height: 800 },
    launchOptions: {
      executablePath: process.env.SHOAL_CHROMIUM,
      args: [
        '--no-sandbox',
        // The tests that say "no GPU" must find none, whatever the machine has.
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `npx tsx relay/main.ts --port ${port} --host 127.0.0.1 --data ${process.env.SHOAL_E2E_DATA} --model ${MODEL}`,
    // It answers 503 here until the page is built.
    url: `http://127.0.0.1:${port}/`,
    timeout: 180_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 8000 },
  },
});
