import { open, rm, stat } from 'node:fs/promises';

/** A lock that is older was left by a process that died: what it guards takes milliseconds. */
const STALE_LOCK_MS = 10_000;
const LOCK_RETRY_MS = 20;

/** Runs `work` while no other process does the same with this file. */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const lock = `${path}.lock`;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      // It was given back in the meantime.
      () => 0,
    );
    if (age > STALE_LOCK_MS) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
