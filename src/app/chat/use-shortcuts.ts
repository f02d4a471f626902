import { useEffect, useRef } from 'react';
import type { ChatPage } from './page.ts';

interface Actions {
  /** The chat is the view that is shown. */
  active: boolean;
  page: ChatPage;
  stop(): void;
  search(): void;
}

/** The keys of the chat that work wherever the focus is. Searching works in every view. */
export function useShortcuts(actions: Actions): void {
  const now = useRef(actions);
  now.current = actions;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const { active, page, stop, search } = now.current;
      if (event.defaultPrevented || event.isComposing) return;
      // An open dialog or drawer has the keys, and Escape closes it first.
      if (document.querySelector('dialog[open], :popover-open, [aria-modal="true"]')) return;
      if (event.key === 'Escape') return active ? stop() : undefined;
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 'k' && !event.shiftKey) search();
      else if (key === 'o' && event.shiftKey && active) page.newChat();
      else if (key === '/' && active) page.openHelp();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}
