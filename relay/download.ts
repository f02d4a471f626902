import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteSource } from '../src/model/index.ts';

/** Bytes per request: large enough for a fast line, small enough to lose little when it breaks. */
const PIECE = 8 * 1024 * 1024;

/**
 * Copies a source into `path`, by way of `<path>.part`, which a later call continues; what is there whole is kept.
 * `origin` names where the bytes come from and is noted in `<path>.from`: a file of another origin or size is
 * fetched anew.
 * `onProgress`: bytes of this file so far.
 * @throws ModelError from the source; the errors of node:fs
 */
export async function download(
  source: ByteSource,
  path: string,
  origin: string,
  { onProgress, signal }: { onProgress?: (done: number) => void; signal?: AbortSignal } = {},
): Promise<void> {
  const part = `${path}.part`;
  const note = `${path}.from`;
  const from = `${origin}\n${source.size}\n`;
  await mkdir(dirname(path), { recursive: true });
  const known = await readFile(note, 'utf8').catch(() => null);
  const whole = await stat(path).catch(() => null);
  if (known === from && whole?.size === source.size) return;
  if (known !== from) {
    await rm(part, { force: true });
    await writeFile(note, from);
  }
  const file = await open(part, 'a');
  try {
    let done = (await stat(part)).size;
    while (done < source.size) {
      onProgress?.(done);
      const piece = await source.read(done, Math.min(PIECE, source.size - done), signal);
      await file.writeFile(piece);
      done += piece.length;
    }
    await file.sync();
    onProgress?.(done);
  } finally {
    await file.close();
  }
  await rename(part, path);
}
