import { createContext, useContext, useSyncExternalStore } from 'react';
import { useDoors } from '../doors.ts';
import type { Draft } from './draft.ts';
import type { ThreadState } from './types.ts';

/** What the parts of the chat view ask of one another. */
export interface ChatPage {
  draft: Draft;
  /** Editors of the questions that are shown. */
  editors: Editors;
  /** The version of a message that a picker has just chosen, whose own picker takes the focus. */
  chosenBranch: { id: string; by: number } | null;
  focusBox(): void;
  /** Begins a chat and puts the cursor into the box. */
  newChat(options?: { temporary?: boolean }): void;
  /** Has a screen reader say something once. */
  say(text: string): void;
  openModelPicker(): void;
  openOptions(): void;
  openHelp(): void;
  /** Lets the user choose a model file, and opens it. */
  pickModelFile(): void;
}

const Context = createContext<ChatPage | null>(null);
export const ChatPageProvider = Context.Provider;

export function useChatPage(): ChatPage {
  const page = useContext(Context);
  if (!page) throw new Error('A part of the chat was drawn outside it.');
  return page;
}

/** A part of the conversation's state: a new render only when that part changes, not with each token. */
export function useThread<T>(select: (state: ThreadState) => T): T {
  const { thread } = useDoors();
  return useSyncExternalStore(thread.state.subscribe, () => select(thread.state.get()));
}

/** Opens the editor of a question from elsewhere: the arrow key in an empty box, `/edit`. */
export class Editors {
  readonly #openers = new Map<string, () => void>();

  register(id: string, open: () => void): () => void {
    this.#openers.set(id, open);
    return () => {
      if (this.#openers.get(id) === open) this.#openers.delete(id);
    };
  }

  /** @returns false when that question is not shown */
  open(id: string): boolean {
    const open = this.#openers.get(id);
    open?.();
    return open !== undefined;
  }
}
