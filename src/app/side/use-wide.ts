import { useSyncExternalStore } from 'react';

/** Where there is room for the conversations beside the thread; the chat's own layout changes at the same width. */
const WIDE = '(min-width: 56rem)';

function subscribe(listener: () => void): () => void {
  const query = matchMedia(WIDE);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(WIDE).matches);
}
