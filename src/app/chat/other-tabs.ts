import type { ChatHistory, ConversationHeader, HistoryChange, KeptMessage } from '../../chat/web.ts';
import { fromKept } from './kept.ts';
import type { OpenChat } from './open-chat.ts';

/** What other tabs of this profile say in a conversation that is open here. */
export class OtherTabs {
  /** Answers that another tab is giving. */
  readonly #followed = new Set<string>();

  constructor(private readonly history: ChatHistory) {}

  /** Takes over what a header says; in what is not written here yet, this tab is right. */
  takeHeader(chat: OpenChat, header: ConversationHeader, here: boolean): void {
    chat.pinned = header.pinned;
    if (header.renamed || !chat.renamed) {
      chat.title = header.title;
      chat.renamed = header.renamed;
    }
    if (!here) chat.options = { system: header.system, ...header.sampling };
  }

  /**
   * Takes over messages.
   * @param answer id of the answer that is being given in this chat here
   * @param changed called when there is something new to show
   */
  async take(
    chat: OpenChat,
    change: HistoryChange,
    answer: string | null,
    changed: () => void,
  ): Promise<void> {
    const wanted = change.messages.filter((id) => id !== answer && !chat.isChanged(id));
    try {
      const found = await this.history.read(chat.id, wanted);
      const before = chat.tree.path(chat.head);
      for (const message of found) this.#put(chat, message);
      if (answer === null) {
        for (const id of change.removed) chat.tree.remove(id);
        const last = before.findLast(({ id }) => chat.tree.get(id))?.id ?? null;
        // Goes along with what was said below the last message here.
        if (last !== null || before.length === 0) chat.head = chat.tree.newest(last);
      }
      changed();
      await this.follow(chat, found, changed);
    } catch {
      // What the other tab wrote is there at the next load; the trouble with the store shows at the next writing.
    }
  }

  /** Watches answers that other tabs are giving until they are over. */
  async follow(chat: OpenChat, messages: readonly KeptMessage[], changed: () => void): Promise<void> {
    const open = messages.filter(({ id, state }) => state === 'streaming' && !this.#followed.has(id));
    await Promise.all(
      open.map(async ({ id }) => {
        const writer = await this.history.writer(id);
        if (!writer) return;
        this.#followed.add(id);
        const known = chat.tree.get(id);
        if (known) chat.tree.put({ ...known, state: 'streaming' });
        changed();
        void this.#end(chat, id, writer.over, changed);
      }),
    );
  }

  async #end(chat: OpenChat, id: string, over: Promise<void>, changed: () => void): Promise<void> {
    try {
      await over;
      this.#followed.delete(id);
      const [last] = await this.history.read(chat.id, [id]);
      if (last && !chat.isChanged(id)) this.#put(chat, last);
    } catch {
      // As far as it was heard here.
      const known = chat.tree.get(id);
      if (known?.state === 'streaming') chat.tree.put({ ...known, state: 'stopped' });
    } finally {
      this.#followed.delete(id);
    }
    changed();
  }

  #put(chat: OpenChat, kept: KeptMessage): void {
    const message = fromKept(kept);
    const followed = this.#followed.has(kept.id) && kept.state === 'streaming';
    chat.tree.put(followed ? { ...message, state: 'streaming' } : message);
  }
}
