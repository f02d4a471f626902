import { useSyncExternalStore } from 'react';

export const VIEWS = ['chat', 'share', 'network', 'settings'] as const;
export type View = (typeof VIEWS)[number];

/** In the fragment, so that any server, and none, can give the page. */
export function hrefOf(view: View): string {
  return `#/${view}`;
}

export function viewOf(hash: string): View {
  const name = /^#\/([a-z]+)/.exec(hash)?.[1];
  return VIEWS.find((view) => view === name) ?? 'chat';
}

export function goTo(view: View): void {
  location.hash = hrefOf(view);
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

export function useView(): View {
  return useSyncExternalStore(subscribe, () => viewOf(location.hash));
}
