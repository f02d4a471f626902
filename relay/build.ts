import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compressFolder } from './compress.ts';
import { RelayError } from './errors.ts';
import { inputsDigest, isStale, writeStamp } from './stale.ts';

/**
 * Builds the page into `<root>/dist` with Vite and compresses it, unless what is there is up to date.
 * @returns whether it was built
 * @throws RelayError `build-failed` with Vite's last words
 */
export async function buildPage(
  root: string,
  {
    force = false,
    log = console.log,
    signal,
  }: { force?: boolean; log?: (line: string) => void; signal?: AbortSignal } = {},
): Promise<boolean> {
  const dist = join(root, 'dist');
  const digest = await inputsDigest(root);
  if (!force && !(await isStale(dist, digest))) return false;
  const start = performance.now();
  log('Building the page …');
  await runVite(root, signal);
  await compressFolder(dist);
  await writeStamp(dist, digest);
  log(`Built the page in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return true;
}

async function runVite(root: string, signal?: AbortSignal): Promise<void> {
  const manifest = createRequire(join(root, 'package.json')).resolve('vite/package.json');
  const args = [join(dirname(manifest), 'bin/vite.js'), 'build', '--logLevel', 'warn'];
  // Whatever the caller's is: a page built for development has no service worker.
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = spawn(process.execPath, args, { cwd: root, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (part: Buffer) => {
    // Only the end is shown.
    output = (output + part.toString()).slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new RelayError('build-failed', `The page could not be built (vite ended with ${code}):\n${output}`),
        );
    });
  });
}
