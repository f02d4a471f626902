/** `npx tsx scripts/icons.ts`: draws the icons of public/ from public/icon.svg. They are kept: run it when that changes. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { findChromium } from './chromium.ts';

const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

interface Icon {
  file: string;
  /** Pixels. */
  size: number;
  /** `round`: rounded by us. `full`: to the edge, for systems that cut a shape of their own. `badge`: one colour. */
  shape: 'round' | 'full' | 'badge';
}

const ICONS: readonly Icon[] = [
  ...[192, 512].flatMap((size) => [
    { file: `icon-${size}.png`, size, shape: 'round' as const },
    // The marks lie within the inner 80 %, which no system cuts.
    { file: `icon-maskable-${size}.png`, size, shape: 'full' as const },
  ]),
  { file: 'apple-touch-icon.png', size: 180, shape: 'full' },
  // Android draws a notification's badge from its transparency alone.
  { file: 'badge-96.png', size: 96, shape: 'badge' },
];

const svg = await readFile(`${PUBLIC}icon.svg`, 'utf8');
const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
for (const { file, size, shape } of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const styles = {
    round: `main { border-radius: ${size * 0.22}px }`,
    full: '',
    badge: 'rect { display: none } path { fill: #fff } svg { scale: 1.25 }',
  };
  await page.setContent(
    `<style>
      * { margin: 0 }
      main { width: ${size}px; height: ${size}px; overflow: hidden }
      svg { display: block; width: 100%; height: 100% }
      ${styles[shape]}
    </style>
    <main>${svg}</main>`,
  );
  await page.locator('main').screenshot({ path: `${PUBLIC}${file}`, omitBackground: true });
  await page.close();
}
await browser.close();
