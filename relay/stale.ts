import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the built page depends on. The relay's own code is run as it is, not built. */
const INPUTS = ['index.html', 'package-lock.json', 'public', 'src', 'tsconfig.json', 'vite.config.ts'];
const STAMP = '.shoal-build.json';

/**
 * A digest of the names and contents of everything the page is built from. Times would not do: a container's image
 * keeps them to the second, and a copy has new ones. Tests do not count.
 */
export async function inputsDigest(root: string): Promise<string> {
  const names: string[] = [];
  for (const input of INPUTS) {
    const entries = await readdir(join(root, input), { recursive: true }).catch(() => null);
    // No folder: a file, or absent.
    if (!entries) names.push(input);
    else names.push(...entries.map((name) => `${input}/${name.replaceAll('\\', '/')}`));
  }
  const hash = createHash('sha256');
  for (const name of names.filter((n) => !/\.test\.tsx?$/.test(n)).sort()) {
    // A folder has no bytes of its own.
    const bytes = await readFile(join(root, name)).catch(() => null);
    if (bytes) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** True when `dist` holds no finished build of these inputs. */
export async function isStale(dist: string, digest: string): Promise<boolean> {
  try {
    const stamp: unknown = JSON.parse(await readFile(join(dist, STAMP), 'utf8'));
    await stat(join(dist, 'index.html'));
    return (stamp as { inputs?: unknown } | null)?.inputs !== digest;
  } catch {
    return true;
  }
}

/** Written last, so that an interrupted build is stale. */
export async function writeStamp(dist: string, digest: string): Promise<void> {
  await writeFile(join(dist, STAMP), JSON.stringify({ inputs: digest }));
}
