import type { ChatHistory, Conversation, HeaderChange, KeptMessage } from '../../chat/web.ts';
import { randomId } from '../../sdk/early.ts';
import { fromKept, toKept } from './kept.ts';
import { Tree } from './tree.ts';
import type { ChatOptions, ThreadMessage } from './types.ts';

export const NO_OPTIONS: ChatOptions = {
  system: '',
  temperature: null,
  topP: null,
  maxTokens: null,
  seed: null,
};

/** A conversation in memory, and the writing of what changes in it. */
export class OpenChat {
  readonly id: string = randomId();
  readonly createdAt: number = Date.now();
  readonly tree: Tree<ThreadMessage> = new Tree();
  readonly temporary: boolean;
  /** The last message of the branch that is shown. */
  head: string | null = null;
  title = '';
  renamed = false;
  pinned = false;
  model = '';
  options: ChatOptions = NO_OPTIONS;
  /** Why the last writing failed, null when all is kept. */
  notKept: string | null = null;
  updatedAt: number = Date.now();
  /** It is in the store. */
  #kept = false;
  #gone = false;
  /** Openings of the store when it was there last. */
  #seen = 0;
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();
  #header: HeaderChange | null = null;
  #saving: Promise<void> | null = null;
  #again = false;

  constructor(
    private readonly history: ChatHistory,
    from: Conversation | { temporary: boolean },
  ) {
    this.temporary = 'temporary' in from && from.temporary;
    if ('temporary' in from) return;
    const { id, createdAt, updatedAt, title, renamed, pinned, model, head, system, sampling, messages } =
      from;
    Object.assign(this, { id, createdAt, updatedAt, title, renamed, pinned, model });
    this.options = { system, ...sampling };
    this.tree = new Tree(messages.map(fromKept));
    this.head = this.tree.newest(head);
    this.#keep();
    this.#answerLast();
  }

  /** It is in the store, or was before it was deleted there. */
  get kept(): boolean {
    return this.#kept;
  }

  /** Something of it is in memory only. */
  get unsaved(): boolean {
    return this.notKept !== null && !this.#gone && !this.temporary && this.tree.size > 0;
  }

  /** Puts a message in place and notes that it is to be written. */
  put(message: ThreadMessage): void {
    this.tree.put(message);
    this.#changed.add(message.id);
  }

  /** Takes messages out, with all below them. */
  remove(id: string): void {
    for (const gone of this.tree.remove(id)) {
      this.#changed.delete(gone);
      this.#removed.add(gone);
    }
  }

  /** Notes a change of the header, which is to be written with the next messages. */
  change(change: HeaderChange): void {
    this.#header = { ...this.#header, ...change };
  }

  /** Notes that something was said. */
  touch(model: string): void {
    this.updatedAt = Date.now();
    if (model) this.model = model;
    this.change({ updatedAt: this.updatedAt, head: this.head, model: this.model });
  }

  /** Puts the branch that ends with this message on the page, now or after the next load. */
  choose(head: string | null): void {
    this.head = head;
    this.change({ head });
  }

  /** Whether a message waits to be written, so that what is in the store is older. */
  isChanged(id: string): boolean {
    return this.#changed.has(id);
  }

  /** It was deleted: nothing brings it back. */
  forget(): void {
    this.#gone = true;
  }

  /** Writes what changed and nothing else. Does not throw: `notKept` says why not, and the next call tries again. */
  save(): Promise<void> {
    this.#again = true;
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  /** All of it as it is kept. */
  whole(): Conversation {
    const { id, title, renamed, pinned, createdAt, updatedAt, model, head, options, tree } = this;
    const { system, ...sampling } = options;
    const messages = [...tree.all()].map(toKept);
    const count = messages.length;
    return {
      id,
      title,
      renamed,
      pinned,
      createdAt,
      updatedAt,
      model,
      head,
      system,
      sampling,
      count,
      messages,
    };
  }

  async #saveAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      if (!this.temporary && !this.#gone) await this.#saveOnce();
    }
  }

  async #saveOnce(): Promise<void> {
    const changed = [...this.#changed];
    const removed = [...this.#removed];
    const header = this.#header;
    if (changed.length + removed.length === 0 && !header && this.notKept === null) return;
    this.#changed.clear();
    this.#removed.clear();
    this.#header = null;
    try {
      if (this.tree.size === 0) await this.#leave();
      else await this.#write(changed, removed, header);
      this.notKept = null;
    } catch (error) {
      for (const id of changed) if (this.tree.get(id)) this.#changed.add(id);
      for (const id of removed) this.#removed.add(id);
      if (header) this.#header = { ...header, ...(this.#header ?? {}) };
      this.notKept = error instanceof Error ? error.message : String(error);
    }
  }

  async #write(
    changed: readonly string[],
    removed: readonly string[],
    header: HeaderChange | null,
  ): Promise<void> {
    const messages = changed.flatMap((id): KeptMessage[] => {
      const message = this.tree.get(id);
      return message ? [toKept(message)] : [];
    });
    const writing = { messages, removed, ...(header ? { header } : {}) };
    if (this.#kept && (await this.history.write(this.id, writing))) return this.#keep();
    // Another tab deleted it, which is told in a moment.
    if (this.#gone || (this.#kept && this.history.opened === this.#seen)) return;
    // It is new, or the store was wiped under the page, which still has all of it.
    const added = await this.history.add(this.whole());
    this.#keep();
    if (!added) await this.history.write(this.id, writing);
  }

  #keep(): void {
    this.#kept = true;
    this.#seen = this.history.opened;
  }

  /** Its only question was taken back. */
  async #leave(): Promise<void> {
    if (!this.#kept) return;
    this.#kept = false;
    await this.history.remove(this.id);
  }

  /** A question without an answer, because the page was left before there was one, gets an empty one to try again. */
  #answerLast(): void {
    const last = this.tree.get(this.head ?? '');
    if (last?.role !== 'user') return;
    const answer = newMessage('assistant', last.id, { state: 'stopped' });
    this.tree.put(answer);
    this.head = answer.id;
  }
}

export function newMessage(
  role: ThreadMessage['role'],
  parent: string | null,
  more: Partial<ThreadMessage> = {},
): ThreadMessage {
  return {
    id: randomId(),
    parent,
    role,
    content: '',
    attachments: [],
    state: 'done',
    error: null,
    happened: null,
    createdAt: Date.now(),
    ...more,
  };
}
