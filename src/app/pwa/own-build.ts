import { CACHES_META } from './build/names.ts';

/** The caches that this page's build is kept in, as its HTML says; none in a page that Vite serves while developing. */
export function ownCaches(): string[] {
  const meta = document.querySelector<HTMLMetaElement>(`meta[name="${CACHES_META}"]`);
  return meta?.content.split(' ').filter(Boolean) ?? [];
}

/**
 * Holds them for as long as this page lives: a shared lock per cache, which the browser lets go when the page is
 * closed or crashes. A worker of another build deletes only what nobody holds.
 */
export async function holdCaches(names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(
      (name) =>
        new Promise<void>((held) => {
          const hold = () => {
            held();
            return new Promise<never>(() => {});
          };
          // A browser that refuses locks has nothing that could delete them either.
          navigator.locks.request(name, { mode: 'shared' }, hold).catch(() => held());
        }),
    ),
  );
}
