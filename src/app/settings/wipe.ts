/** What may be left over when a deletion failed. */
export type Leftover = 'caches' | 'databases' | 'files' | 'settings' | 'worker';

/** Milliseconds that other tabs get to stop writing before the deletion begins. */
const OTHERS_MS = 400;
/** A database that another page holds open, or a file being written, is tried again. */
const ATTEMPTS = 3;
const CHANNEL = 'shoal.wipe';
/** A page hears its own word on a channel as well, when it listens in another place. */
let isWiping = false;

/**
 * Deletes all that this origin keeps in this browser: models, conversations, settings, caches, the service worker. From
 * its beginning on nothing on this page can write any more, so that no late save brings anything back.
 * @param stop ends what runs: answers, lending, the engine, the network
 * @returns what could not be deleted
 */
export async function wipe(stop: () => Promise<void>): Promise<Leftover[]> {
  isWiping = true;
  const files = await privateFiles();
  await stop();
  closeStorage();
  const channel = openChannel();
  channel?.postMessage('wiping');
  await new Promise((resolve) => setTimeout(resolve, channel ? OTHERS_MS : 0));
  channel?.close();
  let left: Leftover[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    left = await deleteAll(files);
    if (left.length === 0) break;
  }
  return left;
}

/** Calls when another tab of this browser deletes everything. @returns a function that ends it */
export function onWipe(listener: () => void): () => void {
  const channel = openChannel();
  if (!channel) return () => {};
  channel.onmessage = () => {
    if (!isWiping) listener();
  };
  return () => channel.close();
}

/** Takes away the doors through which this page writes to the disk. Only a reload brings them back. */
export function closeStorage(): void {
  const refuse = () => {
    throw new DOMException('Everything was deleted; reload the page.', 'InvalidStateError');
  };
  const doors: [object | undefined, string][] = [
    [globalThis.Storage?.prototype, 'setItem'],
    [globalThis.IDBFactory?.prototype, 'open'],
    [globalThis.CacheStorage?.prototype, 'open'],
    [globalThis.StorageManager?.prototype, 'getDirectory'],
    [globalThis.ServiceWorkerContainer?.prototype, 'register'],
  ];
  for (const [owner, name] of doors) {
    if (owner) Object.defineProperty(owner, name, { value: refuse, configurable: true, writable: true });
  }
}

/** Everything at once; each part is looked at again, for a deletion that was promised is not one that happened. */
async function deleteAll(files: FileSystemDirectoryHandle | null): Promise<Leftover[]> {
  const parts: [Leftover, () => Promise<boolean>][] = [
    ['worker', deleteWorkers],
    ['caches', deleteCaches],
    ['databases', deleteDatabases],
    ['files', () => deleteFiles(files)],
    ['settings', deleteSettings],
  ];
  const left: Leftover[] = [];
  for (const [name, remove] of parts) {
    if (!(await remove().catch(() => false))) left.push(name);
  }
  return left;
}

async function deleteWorkers(): Promise<boolean> {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return true;
  for (const registration of await serviceWorker.getRegistrations()) await registration.unregister();
  return (await serviceWorker.getRegistrations()).length === 0;
}

async function deleteCaches(): Promise<boolean> {
  if (!globalThis.caches) return true;
  for (const name of await caches.keys()) await caches.delete(name);
  return (await caches.keys()).length === 0;
}

async function deleteDatabases(): Promise<boolean> {
  const names = (await indexedDB.databases()).map(({ name }) => name).filter((name) => name !== undefined);
  const gone = await Promise.all(names.map(deleteDatabase));
  return gone.every(Boolean) && (await indexedDB.databases()).length === 0;
}

function deleteDatabase(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve(true);
    request.onerror = () => resolve(false);
    // Another tab holds it open and does not let go.
    request.onblocked = () => resolve(false);
  });
}

async function deleteFiles(root: FileSystemDirectoryHandle | null): Promise<boolean> {
  if (!root) return true;
  for (const name of await namesIn(root)) await root.removeEntry(name, { recursive: true }).catch(() => {});
  return (await namesIn(root)).length === 0;
}

async function deleteSettings(): Promise<boolean> {
  localStorage.clear();
  sessionStorage.clear();
  return localStorage.length === 0 && sessionStorage.length === 0;
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const [name] of folder.entries()) names.push(name);
  return names;
}

/** Null where there is no such file system: a private window, or a page without https. */
async function privateFiles(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await navigator.storage.getDirectory();
  } catch {
    return null;
  }
}

function openChannel(): BroadcastChannel | null {
  return typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL);
}
