import { asModelError } from './checks.ts';
import { ModelError } from './errors.ts';
import { unshared } from './hash.ts';
import { ContentStore, type ModelStore, type StoreFiles, type StoreFolder } from './store.ts';

const ROOT = 'shoal-models';

/** Methods that TypeScript's DOM types know in workers only, or not yet. */
interface SyncAccess {
  write(data: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type OpfsFile = FileSystemFileHandle & { createSyncAccessHandle?: () => Promise<SyncAccess> };
type OpfsFolder = FileSystemDirectoryHandle & { entries(): AsyncIterable<[string, FileSystemHandle]> };

/**
 * The store of this origin in the browser's private file system; works in a page and in a dedicated worker.
 * Asks the browser not to throw it away. @throws ModelError `unreachable` where there is no such file system (private
 * windows, plain http): use `MemoryStore` there.
 */
export async function openOpfsStore(): Promise<ModelStore> {
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
    const blobs = await root.getDirectoryHandle('blobs', { create: true });
    const manifests = await root.getDirectoryHandle('manifests', { create: true });
    askToPersist();
    return new ContentStore(new OpfsFiles({ blobs, manifests } as Record<StoreFolder, OpfsFolder>));
  } catch (cause) {
    throw new ModelError(
      'unreachable',
      'This browser offers no file storage here (a private window, or a page that is not secure). ' +
        'Models are kept only while the tab is open.',
      { cause },
    );
  }
}

/**
 * Workers may not ask; a refusal is shown by `usage().persisted`. Nobody waits for the answer: Firefox asks the person,
 * who may never answer.
 */
function askToPersist(): void {
  if (typeof navigator.storage.persist === 'function') navigator.storage.persist().catch(() => {});
}

class OpfsFiles implements StoreFiles {
  readonly #folders: Record<StoreFolder, OpfsFolder>;

  constructor(folders: Record<StoreFolder, OpfsFolder>) {
    this.#folders = folders;
  }

  async size(folder: StoreFolder, name: string) {
    const file = await this.#file(folder, name);
    return file?.size ?? null;
  }

  async read(folder: StoreFolder, name: string) {
    const file = await this.#file(folder, name);
    if (!file) throw new ModelError('not-found', `${name} is not in the browser's storage. Fetch it again.`);
    try {
      return new Uint8Array(await file.arrayBuffer());
    } catch (cause) {
      throw new ModelError(
        'unreachable',
        `The browser cannot read ${name} from its storage. Reload the page.`,
        { cause },
      );
    }
  }

  async write(folder: StoreFolder, name: string, data: Uint8Array) {
    await this.#requireSpace(data.length);
    try {
      const handle: OpfsFile = await this.#folders[folder].getFileHandle(name, { create: true });
      if (typeof handle.createWritable === 'function') await writeSwapped(handle, data);
      else await writeInPlace(handle, data);
    } catch (cause) {
      // What is left has another size or another hash, so it counts as missing; freeing it needs no success.
      if (!(await this.#holds(folder, name, data.length))) await this.remove(folder, name);
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError')
        throw await noSpace(data.length, cause);
      throw asModelError(
        cause,
        'unreachable',
        'The browser cannot write to its storage. Close other tabs and reload.',
      );
    }
  }

  async remove(folder: StoreFolder, name: string) {
    try {
      await this.#folders[folder].removeEntry(name);
    } catch (cause) {
      if (isMissing(cause)) return;
      throw new ModelError(
        'unreachable',
        `The browser cannot delete ${name}. Close other tabs and try again.`,
        { cause },
      );
    }
  }

  async list(folder: StoreFolder) {
    const names: string[] = [];
    for await (const [name, handle] of this.#folders[folder].entries())
      if (handle.kind === 'file') names.push(name);
    const sizes = await Promise.all(names.map((name) => this.size(folder, name)));
    // One that was deleted meanwhile has no size.
    return names.flatMap((name, i) => (sizes[i] == null ? [] : [{ name, bytes: sizes[i] }]));
  }

  async limits() {
    const [{ quota }, persisted] = await Promise.all([
      navigator.storage.estimate(),
      navigator.storage.persisted(),
    ]);
    return { quota: quota ?? null, persisted };
  }

  async #file(folder: StoreFolder, name: string): Promise<File | null> {
    try {
      return await (await this.#folders[folder].getFileHandle(name)).getFile();
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw new ModelError(
        'unreachable',
        `The browser cannot read ${name} from its storage. Reload the page.`,
        { cause },
      );
    }
  }

  /** Asked before writing: some browsers report a full quota only after long writes. */
  async #requireSpace(needed: number): Promise<void> {
    const { quota, usage } = await navigator.storage.estimate();
    if (quota !== undefined && usage !== undefined && quota - usage < needed) throw await noSpace(needed);
  }

  /** Another tab may have written the same blob meanwhile. */
  async #holds(folder: StoreFolder, name: string, bytes: number): Promise<boolean> {
    return (await this.size(folder, name)) === bytes;
  }
}

/** The browser writes to a copy and swaps it in at `close`: all or nothing. */
async function writeSwapped(handle: OpfsFile, data: Uint8Array): Promise<void> {
  const writable = await handle.createWritable();
  try {
    await writable.write(unshared(data));
    await writable.close();
  } catch (error) {
    await writable.abort(error).catch(() => undefined);
    throw error;
  }
}

/** For workers of browsers without `createWritable`: a cut leaves a shorter file, which counts as missing. */
async function writeInPlace(handle: OpfsFile, data: Uint8Array): Promise<void> {
  if (!handle.createSyncAccessHandle)
    throw new ModelError(
      'unreachable',
      'This browser can store files only from a worker. Update the browser.',
    );
  const access = await handle.createSyncAccessHandle();
  try {
    access.truncate(0);
    let at = 0;
    while (at < data.length) at += access.write(data.subarray(at), { at });
    access.flush();
  } finally {
    access.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}

async function noSpace(needed: number, cause?: unknown): Promise<ModelError> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const free = Math.max(0, quota - usage);
  // Chromium rounds and hides its real limit: what it calls free may not be.
  const known = free < needed ? `allows this site ${free} more bytes` : 'has no more room for this site';
  return new ModelError(
    'no-space',
    `The browser ${known}, but ${needed} are needed. Remove a model or free disk space.`,
    { cause },
  );
}
