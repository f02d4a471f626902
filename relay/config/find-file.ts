import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RelayError } from '../errors.ts';

/** The longest sensible file, with all comments of `init`, has 10 KB. Bytes. */
const MOST_BYTES = 256 * 1024;

export const FILE_NAMES = ['shoal.yaml', 'shoal.yml', 'shoal.json'] as const;

/**
 * The file that is to be read: the one that was named, else the first of `FILE_NAMES` in the data folder or the
 * working folder; null when there is none.
 */
export async function findFile(named: string | undefined, folders: readonly string[], cwd: string) {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    return { path, text: await readText(path) };
  }
  for (const folder of folders) {
    for (const name of FILE_NAMES) {
      const path = join(resolve(cwd, folder), name);
      const text = await readText(path).catch((error: unknown) => {
        if (error instanceof RelayError && isAbsent(error.cause)) return null;
        throw error;
      });
      if (text !== null) return { path, text };
    }
  }
  return null;
}

/** @throws RelayError `usage` */
async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      // A pipe or a device would never end.
      if (!(await file.stat()).isFile()) throw new RelayError('usage', `${path} is not a file.`);
      const bytes = new Uint8Array(MOST_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        length += bytesRead;
        if (length > MOST_BYTES)
          throw new RelayError('usage', `${path} has more than 256 KB. That is no configuration.`);
        if (bytesRead === 0) break;
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    const what = isAbsent(cause)
      ? 'does not exist. Check the path, or write one with `shoal-relay init`.'
      : codeOf(cause) === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'is no text in UTF-8.'
        : 'cannot be read. Check its path, and who owns it.';
    const shown = path.replace(/\p{Cc}/gu, '?');
    throw new RelayError('usage', `The configuration file ${shown} ${what}`, { cause });
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
