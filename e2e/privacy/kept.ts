import type { Page } from '@playwright/test';

/** Everything that a browser keeps of the page, as text; of weights only their names. */
export async function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const found: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href];
    for (const { name, version } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name!, version);
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      found.push(name);
      for (const store of database.objectStoreNames) {
        const all = database.transaction(store).objectStore(store).getAll();
        found.push(
          store,
          await new Promise((resolve, reject) => {
            all.onsuccess = () => resolve(all.result);
            all.onerror = () => reject(all.error);
          }),
        );
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      const requests = await (await caches.open(name)).keys();
      found.push(
        name,
        requests.map(({ url }) => url),
      );
    }
    const list = async (folder: FileSystemDirectoryHandle, path: string): Promise<void> => {
      for await (const [name, entry] of folder.entries()) {
        found.push(`${path}/${name}`);
        if (entry.kind === 'directory') await list(entry as FileSystemDirectoryHandle, `${path}/${name}`);
      }
    };
    await list(await navigator.storage.getDirectory(), '');
    return JSON.stringify(found);
  });
}
