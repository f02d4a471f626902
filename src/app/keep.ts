/** Small values kept in this browser: drafts, settings, counters. */
export type Keep = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** A browser that forbids storage keeps them in memory. */
export function openKeep(): Keep {
  try {
    const storage = window.localStorage;
    storage.setItem('shoal.probe', '1');
    storage.removeItem('shoal.probe');
    return storage;
  } catch {
    const values = new Map<string, string>();
    return {
      getItem: (name) => values.get(name) ?? null,
      setItem: (name, value) => void values.set(name, value),
      removeItem: (name) => void values.delete(name),
    };
  }
}
