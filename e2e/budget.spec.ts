import { gzipSync } from 'node:zlib';
import { type BrowserContext, expect, type Page, type Response, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

/** Lighthouse's slow 4G: 1.6 Mbit/s down, 750 kbit/s up, 150 ms. Bytes per second, and milliseconds. */
const SLOW_4G = { downloadThroughput: 204_800, uploadThroughput: 96_000, latency: 150, offline: false };
/** Milliseconds. */
const FIRST_PAINT_MS = 1_500;
/** Bytes, gzip. */
const MOST_JAVASCRIPT = 300_000;
/** Of the layout; what moves less, nobody sees. */
const MOST_SHIFT = 0.02;

interface Manifest {
  id: string;
  name: string;
  start_url: string;
  display: string;
  icons: Picture[];
  screenshots: (Picture & { form_factor: string })[];
  share_target: { action: string; method: string; enctype: string };
  file_handlers: { accept: Record<string, string[]> }[];
}

interface Picture {
  src: string;
  sizes: string;
  type: string;
  purpose?: string;
}

test('it can be installed: a manifest, pictures of the sizes it says, and a worker that serves the page', async ({
  page,
  context,
  request,
}) => {
  await page.goto('/');
  const session = await context.newCDPSession(page);
  const { errors, data, url } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(url).toMatch(/\/manifest\.webmanifest$/);
  const manifest: Manifest = JSON.parse(data!);
  expect(manifest).toMatchObject({ id: '/', name: 'Shoal', start_url: '/', display: 'standalone' });
  expect(manifest.share_target).toMatchObject({ method: 'POST', enctype: 'multipart/form-data' });
  expect(manifest.file_handlers.flatMap(({ accept }) => Object.values(accept).flat())).toContain('.gguf');
  const shapes = manifest.icons.map(({ sizes, purpose }) => `${purpose} ${sizes}`);
  for (const shape of ['any 192x192', 'any 512x512', 'maskable 192x192', 'maskable 512x512'])
    expect(shapes).toContain(shape);
  expect(manifest.screenshots.map(({ form_factor }) => form_factor).sort()).toEqual(['narrow', 'wide']);
  for (const picture of [...manifest.icons, ...manifest.screenshots]) {
    const answer = await request.get(picture.src);
    expect([answer.status(), answer.headers()['content-type']?.split(';')[0]], picture.src).toEqual([
      200,
      picture.type,
    ]);
    if (picture.type === 'image/png') expect(sizeOf(await answer.body()), picture.src).toBe(picture.sizes);
  }
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  await page.reload();
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // A context of a test is private to it, and browsers install nothing from there.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual(
    [],
  );
});

test('over a slow 4G line with an empty cache the frame is painted within 1.5 s, and nothing moves afterwards', async ({
  page,
  context,
}, info) => {
  await page.addInitScript(countShifts);
  const unthrottle = await throttle(context, page);
  const scripts = watchScripts(page);
  await page.goto('/', { waitUntil: 'commit' });
  const chat = new ChatPage(page);
  await expect(chat.box).toBeEditable();
  const before = await scripts();
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
  );
  const lines = before.map(({ name, bytes }) => `${(bytes / 1000).toFixed(1).padStart(7)} kB  ${name}`);
  const sum = before.reduce((total, { bytes }) => total + bytes, 0);
  const text = `First paint after ${Math.round(paint)} ms.\n${lines.join('\n')}\n${(sum / 1000).toFixed(1)} kB of JavaScript (gzip) before one can write.`;
  console.log(text);
  await info.attach('budget', { body: text });
  expect(paint).toBeLessThan(FIRST_PAINT_MS);
  expect(sum).toBeLessThanOrEqual(MOST_JAVASCRIPT);

  // Until the page has settled: the model's list is here, and its download goes on.
  await unthrottle();
  await page.waitForFunction(() => window.shoal.status.get().done > 0);
  expect(await page.evaluate(() => Reflect.get(window, 'shifts') as number)).toBeLessThan(MOST_SHIFT);
});

test('the frame before the code is the one that the code draws', async ({ browser, baseURL }) => {
  for (const viewport of [
    { width: 1100, height: 800 },
    { width: 360, height: 740 },
  ]) {
    const places: unknown[] = [];
    for (const javaScriptEnabled of [false, true]) {
      const context = await browser.newContext({ baseURL, javaScriptEnabled, viewport });
      const page = await context.newPage();
      await page.goto('/');
      if (javaScriptEnabled) await expect(new ChatPage(page).box).toBeVisible();
      places.push(await frameOf(page));
      await context.close();
    }
    expect(places[0]).toEqual(places[1]);
  }
});

test('a look that was chosen is there at the first paint', async ({ page }) => {
  await page.route('**/assets/*.js', () => {});
  await page.addInitScript(() =>
    localStorage.setItem(
      'shoal.settings',
      JSON.stringify({ theme: 'dark', textSize: 'large', motion: 'less' }),
    ),
  );
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.getByRole('link', { name: 'Share', exact: true })).toBeVisible();
  const { paper, size } = await page.evaluate(() => ({
    paper: getComputedStyle(document.body).backgroundColor,
    size: getComputedStyle(document.documentElement).fontSize,
  }));
  expect([paper, size]).toEqual(['rgb(15, 21, 23)', '19px']);
});

/** @returns a function that lifts it */
async function throttle(context: BrowserContext, page: Page): Promise<() => Promise<void>> {
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.clearBrowserCache');
  await session.send('Network.emulateNetworkConditions', SLOW_4G);
  const free = { downloadThroughput: -1, uploadThroughput: -1, latency: 0, offline: false };
  return async () => {
    await session.send('Network.emulateNetworkConditions', free);
  };
}

/** @returns a function that gives the scripts of the page that have arrived so far, in their order, gzip */
function watchScripts(page: Page): () => Promise<{ name: string; bytes: number }[]> {
  const arrived: Response[] = [];
  page.on('requestfinished', async (request) => {
    const response = await request.response();
    if (response && /javascript/.test(response.headers()['content-type'] ?? '')) arrived.push(response);
  });
  return async () => {
    const bodies = arrived.slice().map(async (response) => ({
      name: new URL(response.url()).pathname,
      bytes: gzipSync(await response.body(), { level: 9 }).length,
    }));
    return Promise.all(bodies);
  };
}

/** Runs in the page before anything else. */
function countShifts(): void {
  Object.assign(window, { shifts: 0 });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput } = entry as PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      };
      if (!hadRecentInput) Object.assign(window, { shifts: Reflect.get(window, 'shifts') + value });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** Where the name, the links and the main part are, and what they say. */
async function frameOf(page: Page): Promise<unknown> {
  const links = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').all();
  const parts = [page.locator('header .name'), ...links, page.locator('main')];
  return Promise.all(
    parts.map(async (part, i) => ({
      box: await part.boundingBox(),
      // The main part is what differs.
      html: i === parts.length - 1 ? null : await part.evaluate((element) => element.outerHTML),
    })),
  );
}

/** Of a PNG, out of its first chunk. */
function sizeOf(png: Buffer): string {
  return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
}
