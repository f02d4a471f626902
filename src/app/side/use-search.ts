import { useEffect, useState } from 'react';
import type { Conversations } from '../chat/types.ts';

/** Milliseconds between the last key and the search: somebody who types quickly searches once. */
const PAUSE_MS = 120;

/** The text of the search box, and a search that follows it. An empty box ends the search at once. */
export function useSearch(conversations: Conversations): [text: string, setText: (text: string) => void] {
  const [text, setText] = useState(() => conversations.state.get().search?.text ?? '');
  useEffect(() => {
    const wanted = text.trim();
    if (wanted === (conversations.state.get().search?.text ?? '')) return;
    const timer = setTimeout(() => conversations.search(wanted), wanted ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [text, conversations]);
  return [text, setText];
}
