const NAME = 'shoal-present';

/**
 * Calls `onLost` when the browser deletes what it keeps for this page while it is open: a user clears the site's data,
 * or the disk is full. An empty database is held open for that: its unexpected closing is the only event there is.
 */
export function watchStorage(onLost: () => void): void {
  let request: IDBOpenDBRequest;
  try {
    request = indexedDB.open(NAME);
  } catch {
    // Storage is forbidden: there is nothing to lose.
    return;
  }
  request.onsuccess = () => {
    const database = request.result;
    database.onclose = () => {
      onLost();
      // It may happen again.
      watchStorage(onLost);
    };
    // The page itself deletes everything: no accident.
    database.onversionchange = () => database.close();
  };
}
