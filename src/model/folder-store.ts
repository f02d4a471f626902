import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from './errors.ts';
import { ContentStore, type ModelStore, type StoreFiles, type StoreFolder } from './store.ts';

/** A store in a folder, made when missing: `blobs/<sha256>` and `manifests/<cid>`. */
export async function openFolderStore(root: string): Promise<ModelStore> {
  for (const folder of ['blobs', 'manifests']) {
    try {
      await mkdir(join(root, folder), { recursive: true });
    } catch (cause) {
      throw new ModelError('unreachable', `${root} cannot be made. Choose a folder that can be written.`, {
        cause,
      });
    }
  }
  return new ContentStore(new FolderFiles(root));
}

class FolderFiles implements StoreFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async size(folder: StoreFolder, name: string) {
    try {
      return (await stat(join(this.#root, folder, name))).size;
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw diskError(cause, this.#root);
    }
  }

  async read(folder: StoreFolder, name: string) {
    try {
      return await readFile(join(this.#root, folder, name));
    } catch (cause) {
      throw diskError(cause, this.#root);
    }
  }

  async write(folder: StoreFolder, name: string, data: Uint8Array) {
    const temporary = join(this.#root, folder, `.${name}.${randomUUID()}`);
    try {
      const handle = await open(temporary, 'wx');
      try {
        await handle.writeFile(data);
        // The rename must not reach the disk before the bytes.
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, join(this.#root, folder, name));
    } catch (cause) {
      await rm(temporary, { force: true });
      throw await this.#writeError(cause, data.length);
    }
  }

  async remove(folder: StoreFolder, name: string) {
    await rm(join(this.#root, folder, name), { force: true });
  }

  async list(folder: StoreFolder) {
    const found: { name: string; bytes: number }[] = [];
    for (const name of await readdir(join(this.#root, folder))) {
      const bytes = name.startsWith('.') ? null : await this.size(folder, name);
      if (bytes !== null) found.push({ name, bytes });
    }
    return found;
  }

  async limits() {
    return { quota: null, persisted: true };
  }

  async #writeError(cause: unknown, needed: number): Promise<ModelError> {
    if (!isFull(cause)) return diskError(cause, this.#root);
    const { bavail, bsize } = await statfs(this.#root);
    return noSpace(this.#root, needed, bavail * bsize, cause);
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** The disk is full, or the user's share of it is. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function noSpace(root: string, needed: number, free: number, cause: unknown): ModelError {
  return new ModelError(
    'no-space',
    `The disk of ${root} is full: ${needed} bytes are needed and ${free} are free. Make room, then start again.`,
    { cause },
  );
}

export function diskError(cause: unknown, root: string): ModelError {
  const { message } = cause as Error;
  return new ModelError(
    'unreachable',
    `${root} cannot be used: ${message}. Check the folder's permissions.`,
    { cause },
  );
}
