import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError } from './errors.ts';
import { PathSource } from './path-source.ts';
import type { ByteSource } from './types.ts';
import { sourcesFromUrl } from './url-sources.ts';

/**
 * The files of a model: a file or a folder on disk, or the URL of a .gguf, of a folder or of its config.json.
 * @throws ModelError `not-found`, `unreachable`
 */
export async function sourcesFrom(pathOrUrl: string, signal?: AbortSignal): Promise<ByteSource[]> {
  if (/^https?:\/\//i.test(pathOrUrl)) return sourcesFromUrl(pathOrUrl, { signal });
  const path = pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl) : pathOrUrl;
  const info = await stat(path).catch((cause: unknown) => {
    throw new ModelError('not-found', `${path} does not exist. Check the path.`, { cause });
  });
  if (!info.isDirectory()) return [await PathSource.open(path)];
  const names = (await readdir(path)).filter(isModelFile).sort();
  const ggufs = names.filter((name) => name.endsWith('.gguf'));
  // A folder with a single GGUF and perhaps a stray config.json: the GGUF is complete by itself.
  const wanted = ggufs.length === 1 ? ggufs : names;
  const sources: ByteSource[] = [];
  for (const name of wanted) sources.push(await PathSource.open(join(path, name)));
  return sources;
}

function isModelFile(name: string): boolean {
  return /\.(gguf|safetensors|json|jinja)$/.test(name);
}
