import { ChatError, type ChatHistory, type Conversation, type ConversationHeader } from '../../chat/web.ts';
import { Cell, type Observable } from '../../sdk/early.ts';
import { JsonExport, markdownOf } from './export.ts';
import { readExport } from './import.ts';
import { searchHistory } from './search.ts';
import { storeWords } from './store-words.ts';
import { titleOf } from './title.ts';
import type { Conversations, ListState, ThreadState } from './types.ts';

/** Lets the page draw and hear its user. */
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve));

/** What is asked of the thread: the conversation on the page, which may be newer than the kept one. */
export interface OnPage {
  readonly state: Observable<Pick<ThreadState, 'id'>>;
  snapshot(): Conversation;
}

/**
 * Conversations of an import that are kept at once, between two words on how far it is. One transaction each costs a
 * wait for the disk each, and far longer ones beside an answer that keeps every core busy.
 */
const KEPT_AT_ONCE = 100;

/** The conversations kept on this device, as the page lists them. */
export class KeptConversations implements Conversations {
  readonly state = new Cell<ListState>({ items: [], search: null, notice: null });
  readonly #history: ChatHistory;
  readonly #thread: OnPage;
  readonly #headers = new Map<string, ConversationHeader>();
  #searching: AbortController | null = null;
  #importing = false;

  constructor({ history, thread }: { history: ChatHistory; thread: OnPage }) {
    this.#history = history;
    this.#thread = thread;
    history.subscribe((event) => {
      if (event.kind === 'cleared') this.#headers.clear();
      else if (event.kind === 'removed') this.#headers.delete(event.id);
      else if (!this.#take(event.changes.map(({ header }) => header))) return;
      this.#show();
    });
    void this.#attempt(async () => {
      // What was told while the list was read is newer than the list.
      for (const header of await history.list()) {
        if (!this.#headers.has(header.id)) this.#headers.set(header.id, header);
      }
      this.#show();
    });
  }

  search(text: string): void {
    this.#searching?.abort();
    this.#searching = null;
    if (text.trim() === '') {
      if (this.state.get().search) this.state.update({ search: null });
      return;
    }
    const control = new AbortController();
    this.#searching = control;
    // What was found for the text before stays on the page until there is something for the new one.
    const hits = this.state.get().search?.hits ?? [];
    this.state.update({ search: { text, hits, running: true } });
    void this.#search(text, control.signal);
  }

  async rename(id: string, title: string): Promise<void> {
    const short = titleOf(title);
    if (short === '') return;
    await this.#attempt(() => this.#write(id, { title: short, renamed: true }));
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    await this.#attempt(() => this.#write(id, { pinned }));
  }

  async remove(id: string): Promise<void> {
    const title = this.#headers.get(id)?.title || storeWords.untitled;
    await this.#attempt(async () => {
      await this.#history.remove(id);
      this.state.update({ notice: storeWords.deletedOne(title) });
    });
  }

  async removeAll(): Promise<void> {
    const count = this.#headers.size;
    await this.#attempt(async () => {
      await this.#history.clear();
      this.state.update({ notice: storeWords.deletedAll(count) });
    });
  }

  async exportJson(id?: string): Promise<Blob> {
    const file = new JsonExport();
    for (const each of id === undefined ? this.state.get().items.map((item) => item.id) : [id]) {
      const conversation = await this.#whole(each);
      if (conversation) file.add(conversation);
      else if (id !== undefined) throw new ChatError('history', storeWords.missing);
      await breathe();
    }
    return file.done();
  }

  async exportMarkdown(id: string): Promise<Blob> {
    const conversation = await this.#whole(id);
    if (!conversation) throw new ChatError('history', storeWords.missing);
    return new Blob([markdownOf(conversation)], { type: 'text/markdown' });
  }

  async import(files: readonly File[]): Promise<void> {
    let added = 0;
    let here = 0;
    let bad = 0;
    let why: string | null = null;
    // A thousand conversations are drawn once.
    this.#importing = true;
    try {
      for (const file of files) {
        const parsed = await readExport(file);
        bad += parsed.bad;
        why ??= parsed.why;
        for (let i = 0; i < parsed.conversations.length; i += KEPT_AT_ONCE) {
          const some = await this.#history.addAll(parsed.conversations.slice(i, i + KEPT_AT_ONCE));
          const news = some.filter(Boolean).length;
          added += news;
          here += some.length - news;
          this.state.update({ notice: storeWords.importing(added + here) });
          await breathe();
        }
      }
      this.state.update({ notice: storeWords.imported(added, here, bad, why) });
    } catch (error) {
      this.state.update({ notice: storeWords.stoppedAt(added, messageOf(error)) });
    } finally {
      this.#importing = false;
      this.#show();
    }
  }

  dismiss(): void {
    this.state.update({ notice: null });
  }

  /** The one on the page is newer there than in the store, and may not be in it at all. */
  async #whole(id: string): Promise<Conversation | null> {
    return this.#thread.state.get().id === id ? this.#thread.snapshot() : this.#history.load(id);
  }

  async #write(id: string, header: { title?: string; renamed?: boolean; pinned?: boolean }): Promise<void> {
    if (!(await this.#history.write(id, { header }))) throw new ChatError('history', storeWords.missing);
  }

  async #search(text: string, signal: AbortSignal): Promise<void> {
    const show = (change: Partial<NonNullable<ListState['search']>>) => {
      const { search } = this.state.get();
      if (!signal.aborted && search) this.state.update({ search: { ...search, ...change } });
    };
    try {
      const headers = this.#sorted();
      const hits = await searchHistory(
        this.#history,
        headers,
        text,
        signal,
        (found) => show({ hits: found }),
        breathe,
      );
      show({ hits, running: false });
    } catch (error) {
      if (signal.aborted) return;
      show({ running: false });
      this.state.update({ notice: messageOf(error) });
    }
  }

  /** Does something with the store; the notice says why it could not be done. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.state.update({ notice: messageOf(error) });
    }
  }

  /** @returns whether that changes what is shown; an answer that grows does not */
  #take(headers: readonly ConversationHeader[]): boolean {
    let shown = false;
    for (const header of headers) {
      const before = this.#headers.get(header.id);
      this.#headers.set(header.id, header);
      shown ||= !before || !isShownAlike(before, header);
    }
    return shown;
  }

  #sorted(): ConversationHeader[] {
    return [...this.#headers.values()].sort(
      (a, b) => Number(b.pinned) - Number(a.pinned) || b.updatedAt - a.updatedAt,
    );
  }

  #show(): void {
    if (this.#importing) return;
    const items = this.#sorted().map(({ id, title, pinned, updatedAt, count }) => ({
      id,
      title,
      pinned,
      updatedAt,
      messages: count,
    }));
    this.state.update({ items });
  }
}

function isShownAlike(a: ConversationHeader, b: ConversationHeader): boolean {
  return a.title === b.title && a.pinned === b.pinned && a.updatedAt === b.updatedAt && a.count === b.count;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
