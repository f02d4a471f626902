import { mkdir, rename } from 'node:fs/promises';
import { LevelDatastore } from 'datastore-level';
import { TransportError } from './types.ts';

/** Codes of LevelDB with which a new store may be begun; with any other (no permission, no space) it would fail too. */
const CORRUPT = ['LEVEL_CORRUPTION', 'LEVEL_INVALID', 'LEVEL_NOT_FOUND'];

/**
 * The store on disk: libp2p's own entries and the provider records. It is of use, not of need: one that cannot be read
 * is moved aside, and a new one begun. LevelDB's log survives the death of the process at any moment; what a power cut
 * takes are the last seconds.
 * @param check reads what the caller needs; a failure of it is a corrupt store too
 * @throws TransportError `data-in-use` when another process has it open
 */
export async function openDatastore(
  folder: string,
  options: { warn: (message: string) => void; check?: (store: LevelDatastore) => Promise<void> },
): Promise<LevelDatastore> {
  try {
    return await open(folder, options.check);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'LEVEL_LOCKED') {
      const message = `${folder} is in use by another relay. Stop that one, or give this one a data folder of its own.`;
      throw new TransportError('data-in-use', message, { cause: error });
    }
    if (!CORRUPT.includes(code)) throw error;
    const aside = `${folder}.${new Date().toISOString().replaceAll(':', '-')}`;
    await rename(folder, aside);
    options.warn(
      `The store in ${folder} is damaged (${code}). It is kept as ${aside}, and a new one is begun: hosts publish their records anew within five minutes.`,
    );
    return open(folder, options.check);
  }
}

async function open(
  folder: string,
  check?: (store: LevelDatastore) => Promise<void>,
): Promise<LevelDatastore> {
  // It holds private keys too, when certificates are asked for.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const store = new LevelDatastore(folder);
  // Its own `open` hides why it failed.
  await store.db.open({ createIfMissing: true, compression: false });
  try {
    await check?.(store);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** The innermost code: an error in opening wraps the one of LevelDB. */
function codeOf(error: unknown): string {
  let code = '';
  for (let at = error; at instanceof Error; at = at.cause) code = String(Reflect.get(at, 'code') ?? code);
  return code;
}
