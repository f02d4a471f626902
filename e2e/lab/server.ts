import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import send from 'send';
import { build } from 'vite';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** What a change of makes a built page stale, besides the page's own folder. */
const SOURCES = ['src', 'e2e/lab', 'vite.config.ts', 'package-lock.json'];

export interface LabOptions {
  /** Folder of the page inside the project; it holds `lab.html`. */
  page?: string;
  /** URL prefix → folder inside the project, served as it lies. */
  folders?: Record<string, string>;
}

export interface Lab {
  /** Origin, without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/**
 * Builds a test page with the project's own Vite settings and serves it on a free loopback port with the headers
 * that give it shared memory (threads). It is built once per state of the sources.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const page = options.page ?? 'e2e/lab';
  const out = await buildPage(page);
  const folders = Object.entries(options.folders ?? {});
  const server = createServer((request, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    const path = new URL(request.url ?? '/', 'http://lab').pathname;
    const folder = folders.find(([prefix]) => path.startsWith(prefix));
    const [root, file] = folder ? [join(PROJECT, folder[1]), path.slice(folder[0].length - 1)] : [out, path];
    send(request, file, { root, index: 'lab.html', cacheControl: false })
      .on('error', (error: { status?: number }) => {
        response.statusCode = error.status ?? 500;
        response.end();
      })
      .pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** @returns the folder of the built page */
async function buildPage(page: string): Promise<string> {
  const root = resolve(PROJECT, page);
  const out = resolve(PROJECT, 'node_modules/.cache/shoal-lab', page.replaceAll('/', '-'));
  const stamp = join(out, 'stamp');
  const state = await stateOf([...SOURCES, page]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return out;
  await build({
    configFile: join(PROJECT, 'vite.config.ts'),
    root,
    publicDir: false,
    logLevel: 'warn',
    build: {
      // Relative, because the project's settings join it to the root.
      outDir: relative(root, out),
      emptyOutDir: true,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: { input: join(root, 'lab.html') },
    },
  });
  await writeFile(stamp, state);
  return out;
}

/** A digest of the contents of files and folders of the project. */
async function stateOf(paths: readonly string[]): Promise<string> {
  const digest = createHash('sha256');
  for (const path of paths) {
    const full = join(PROJECT, path);
    const files = (await stat(full)).isDirectory()
      ? (await readdir(full, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
      : [full];
    for (const file of files) digest.update(file).update(await readFile(file));
  }
  return digest.digest('hex');
}
