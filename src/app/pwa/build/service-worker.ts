import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'vite';
import type { BuildFacts } from '../worker/scope.ts';
import { CACHES_META, PAGE_CACHE, RUNTIME_CACHE } from './names.ts';

/**
 * Files of a build that a page has no need of: onnxruntime's 27 MB each, which are kept when first used; the programmable
 * door, which is for other pages; pictures for a shop window; formats of fonts that only older browsers want.
 */
const NOT_KEPT = /^(ort\/|screenshots\/|sdk\.js$|\.)|\.(br|gz|map|ttf|woff)$/;
/** What is in a name that has the file's digest in it. */
const HASHED = /^assets\//;

interface Options {
  /** Of onnxruntime-web, whose files have their own cache. */
  runtimeVersion: string;
  /** For the worker's own build. */
  plugins: readonly Plugin[];
}

/**
 * Builds the service worker of a page: lists the files that were written with their digests, names their cache after all
 * of them together, writes that name into the page, and the list into /sw.js.
 */
export function serviceWorker({ runtimeVersion, plugins }: Options): Plugin {
  let root = '';
  let out = '';
  let written = false;
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      out = join(config.root, config.build.outDir);
    },
    transformIndexHtml: { order: 'post', handler: styleFirst },
    writeBundle() {
      written = true;
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        // A build that failed over what an earlier one left, or a test's page, which is not kept.
        if (!written || !existsSync(join(out, 'index.html'))) return;
        const facts = await prepare(out, runtimeVersion);
        await build({
          configFile: false,
          root,
          publicDir: false,
          logLevel: 'warn',
          plugins: [...plugins],
          define: { SHOAL_BUILD: JSON.stringify(facts), 'process.env.NODE_ENV': '"production"' },
          build: {
            target: 'es2023',
            outDir: out,
            emptyOutDir: false,
            rolldownOptions: {
              input: { sw: join(import.meta.dirname, '../worker/worker.ts') },
              output: { format: 'iife', entryFileNames: 'sw.js' },
            },
          },
        });
      },
    },
  };
}

/**
 * The style sheet before the scripts: a browser opens six connections to a relay without HTTP/2, and the first paint waits
 * for the style alone.
 */
function styleFirst(html: string): string {
  const styles: string[] = [];
  const rest = html.replace(/ *<link rel="stylesheet"[^>]*>\n/g, (link) => {
    styles.push(link);
    return '';
  });
  return rest.replace(/ *<script/, (script) => styles.join('') + script);
}

async function prepare(out: string, runtimeVersion: string): Promise<BuildFacts> {
  const names = await keptNames(out);
  const whole = createHash('sha256');
  for (const name of names) whole.update(`${name}\0${await digestOf(join(out, name))}\0`);
  const pageCache = PAGE_CACHE + whole.digest('hex').slice(0, 16);
  const runtimeCache = RUNTIME_CACHE + runtimeVersion;

  const index = join(out, 'index.html');
  const empty = `<meta name="${CACHES_META}" content="" />`;
  const html = await readFile(index, 'utf8');
  if (!html.includes(empty)) throw new Error(`index.html has no ${empty}, which names the page's caches.`);
  await writeFile(index, html.replace(empty, empty.replace('""', `"${pageCache} ${runtimeCache}"`)));

  const files: BuildFacts['files'] = await Promise.all(
    names.map(async (name) => {
      const digest = await digestOf(join(out, name));
      return { url: `/${name}`, revision: HASHED.test(name) ? null : digest, integrity: `sha256-${digest}` };
    }),
  );
  return { pageCache, runtimeCache, files };
}

async function keptNames(out: string): Promise<string[]> {
  const kept: string[] = [];
  for (const entry of await readdir(out, { recursive: true })) {
    const name = entry.replaceAll('\\', '/');
    if (!NOT_KEPT.test(name) && name !== 'sw.js' && (await stat(join(out, name))).isFile()) kept.push(name);
  }
  return kept.sort();
}

/** As an integrity attribute has it. */
async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('base64');
}
