/** Small values kept in this browser: the draft and the settings. A browser that forbids it keeps them in memory. */
export function openKeep(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
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
