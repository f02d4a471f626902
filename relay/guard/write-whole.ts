import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RelayError } from '../errors.ts';

/** What to do about it, by the kernel's error. */
const ADVICE: Record<string, string> = {
  ENOSPC: 'The disk is full. Free some space.',
  EDQUOT: 'The quota of this user is used up. Free some space.',
  EFBIG: 'The file would be larger than this process may write (ulimit -f).',
  EACCES: 'This user may not write there. Change the owner of the folder, or choose another with --data.',
  EPERM: 'This user may not write there. Change the owner of the folder, or choose another with --data.',
  EROFS: 'The file system is read-only. Choose another folder with --data.',
};

/**
 * Writes a file so that, whatever happens, a reader finds the old one or the new one, whole: also after a power cut.
 * Missing folders are made. What was begun is removed when it fails.
 * `mode`: of the new file, 0o600 for secrets.
 * @throws RelayError `cannot-write`
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const folder = dirname(path);
  // A name of its own, so that two writers at once do not write into each other's.
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    // The error that matters is the first one.
    await rm(temporary, { force: true }).catch(() => {});
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new RelayError('cannot-write', `${path} could not be written. ${ADVICE[code ?? ''] ?? message}`, {
      cause,
    });
  }
}

/** Without it the name may still point to the old file, or to none, after a power cut. */
async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and writes the name by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
