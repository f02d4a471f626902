import type { ChatError } from '../errors.ts';
import {
  type ChatHistory,
  type Conversation,
  type ConversationHeader,
  changedHeader,
  type HistoryChange,
  type HistoryEvent,
  type KeptMessage,
  parseConversation,
  parseMessage,
  type Writing,
} from '../history.ts';

type Listener = (event: HistoryEvent, here: boolean) => void;

/** What the tabs of one profile share; kept as text, so that nobody changes it from outside. */
export class MemoryProfile {
  readonly headers = new Map<string, string>();
  readonly messages = new Map<string, Map<string, string>>();
  readonly tabs = new Set<MemoryHistory>();
  readonly held = new Map<string, Promise<void>>();
  /** Every call fails with this while it is set. */
  broken: ChatError | null = null;
  opened = 1;
  /** Messages and headers written, and messages read. */
  readonly work = { messages: 0, headers: 0, read: 0 };

  /** As a browser that deletes the page's data. */
  wipe(): void {
    this.opened++;
    this.headers.clear();
    this.messages.clear();
  }
}

/** A history for tests in Node: the same promises as the one in IndexedDB, by the same tests (web.test.ts). */
export class MemoryHistory implements ChatHistory {
  readonly #listeners = new Set<Listener>();

  constructor(readonly profile = new MemoryProfile()) {
    profile.tabs.add(this);
  }

  get opened(): number {
    return this.profile.opened;
  }

  /** As a tab that is closed: it hears nothing any more. */
  close(): void {
    this.profile.tabs.delete(this);
    this.#listeners.clear();
  }

  async list(): Promise<ConversationHeader[]> {
    this.#check();
    const all = [...this.profile.headers.values()].map((text): ConversationHeader => JSON.parse(text));
    return all.sort((a, b) => b.updatedAt - a.updatedAt);
  }

  async load(id: string): Promise<Conversation | null> {
    this.#check();
    const header = this.profile.headers.get(id);
    if (header === undefined) return null;
    return parseConversation({ ...JSON.parse(header), messages: this.#all(id) });
  }

  async read(id: string, messages: readonly string[]): Promise<KeptMessage[]> {
    this.#check();
    return this.#all(id).filter((message) => messages.includes(message.id));
  }

  async batch(id: string, after: string | null, most: number): Promise<KeptMessage[]> {
    this.#check();
    const kept = this.profile.messages.get(id) ?? new Map<string, string>();
    const ids = [...kept.keys()].sort().filter((each) => after === null || each > after);
    const rest = ids.slice(0, most).map((each): KeptMessage => JSON.parse(kept.get(each)!));
    this.profile.work.read += rest.length;
    return rest;
  }

  async add(conversation: Conversation): Promise<boolean> {
    const [added] = await this.addAll([conversation]);
    return added === true;
  }

  async addAll(conversations: readonly Conversation[]): Promise<boolean[]> {
    this.#check();
    const changes: HistoryChange[] = [];
    const added = conversations.map(parseConversation).map(({ messages, ...header }) => {
      if (this.profile.headers.has(header.id)) return false;
      this.#put(header, messages);
      changes.push({ header, messages: messages.map(({ id }) => id), removed: [] });
      return true;
    });
    if (changes.length > 0) this.#tell({ kind: 'changed', changes });
    return added;
  }

  async write(id: string, writing: Writing): Promise<boolean> {
    this.#check();
    const { removed = [] } = writing;
    const messages = (writing.messages ?? []).map(parseMessage);
    const text = this.profile.headers.get(id);
    if (text === undefined) return false;
    const kept = this.profile.messages.get(id)!;
    const gone = removed.filter((message) => kept.delete(message)).length;
    const more = messages.filter((message) => !kept.has(message.id)).length - gone;
    const header = changedHeader(JSON.parse(text), writing.header ?? {}, more);
    this.#put(header, messages);
    const change = { header, messages: messages.map((each) => each.id), removed: [...removed] };
    this.#tell({ kind: 'changed', changes: [change] });
    return true;
  }

  async remove(id: string): Promise<void> {
    this.#check();
    this.profile.headers.delete(id);
    this.profile.messages.delete(id);
    this.#tell({ kind: 'removed', id });
  }

  async clear(): Promise<void> {
    this.#check();
    this.profile.headers.clear();
    this.profile.messages.clear();
    this.#tell({ kind: 'cleared' });
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hold(message: string): () => void {
    let release = () => {};
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.profile.held.set(message, over);
    return () => {
      this.profile.held.delete(message);
      release();
    };
  }

  async writer(message: string): Promise<{ over: Promise<void> } | null> {
    const over = this.profile.held.get(message);
    return over ? { over } : null;
  }

  #check(): void {
    if (this.profile.broken) throw this.profile.broken;
  }

  #all(id: string): KeptMessage[] {
    const texts = this.profile.messages.get(id)?.values() ?? [];
    return [...texts].map((text): KeptMessage => JSON.parse(text));
  }

  #put(header: ConversationHeader, messages: readonly KeptMessage[]): void {
    const { profile } = this;
    const text = JSON.stringify(header);
    if (profile.headers.get(header.id) !== text) profile.work.headers++;
    profile.headers.set(header.id, text);
    const kept = profile.messages.get(header.id) ?? new Map<string, string>();
    for (const message of messages) kept.set(message.id, JSON.stringify(message));
    profile.messages.set(header.id, kept);
    profile.work.messages += messages.length;
  }

  #tell(event: HistoryEvent): void {
    for (const tab of this.profile.tabs) {
      for (const listener of [...tab.#listeners]) listener(structuredClone(event), tab === this);
    }
  }
}
