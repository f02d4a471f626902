import { PAGE_CACHE, RUNTIME_CACHE } from '../build/names.ts';

/**
 * Deletes the caches of other builds, except those that a page still holds the lock of: a tab that was opened days ago
 * goes on fetching its own build's parts.
 * @param own names of this build's caches
 */
export async function forgetOldBuilds(own: readonly string[]): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const used = new Set([...own, ...held.map(({ name }) => name)]);
  for (const name of await caches.keys()) {
    const isOurs = name.startsWith(PAGE_CACHE) || name.startsWith(RUNTIME_CACHE);
    if (isOurs && !used.has(name)) await caches.delete(name);
  }
}

/** A file in the cache of any build: hashed names mean the same in all of them. */
export async function fromAnyBuild(request: Request): Promise<Response | undefined> {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PAGE_CACHE)) continue;
    const found = await (await caches.open(name)).match(request, { ignoreVary: true });
    if (found) return found;
  }
  return undefined;
}

/** One of onnxruntime's files, `/ort/<version>/<name>`, kept when it is first used. */
export async function fromRuntime(
  request: Request,
  later: (work: Promise<unknown>) => void,
): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  const [, , version = ''] = new URL(request.url).pathname.split('/');
  if (response.status === 200) {
    const copy = response.clone();
    later(
      caches
        .open(RUNTIME_CACHE + version)
        .then((cache) => cache.put(request, copy))
        // The quota is full: it is fetched again next time.
        .catch(() => {}),
    );
  }
  return response;
}
