import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { ChatError } from './errors.ts';
import {
  type ChatHistory,
  type Conversation,
  type ConversationHeader,
  changedHeader,
  type HistoryEvent,
  type KeptMessage,
  MAX_MESSAGES,
  messagesOf,
  parseConversation,
  parseHeader,
  parseMessage,
  readable,
  type Writing,
} from './history.ts';
import { HistoryEvents } from './history-events.ts';
import { fromVersion1 } from './migrate.ts';

export { ChatError } from './errors.ts';
export * from './history.ts';

const VERSION = 2;
const HEADERS = 'conversations';
const MESSAGES = 'conversation-messages';
/** Of version 1: summaries, and whole conversations. */
const FORMER_HEADERS = 'summaries';
const FORMER_CONVERSATIONS = 'messages';

interface Schema extends DBSchema {
  [HEADERS]: { key: string; value: ConversationHeader };
  [MESSAGES]: { key: [string, string]; value: KeptMessage & { conversation: string } };
}
type Database = IDBPDatabase<Schema>;
type Upgrade = IDBPTransaction<unknown, string[], 'versionchange'>;
type Transaction = IDBPTransaction<Schema, [typeof HEADERS, typeof MESSAGES], 'readwrite'>;

/**
 * Conversations in IndexedDB. A message is a record of its own, so that an answer that grows writes itself only,
 * however long the conversation is, and tabs of one profile never write over each other's messages. Headers lie apart,
 * so that the list does not read every message.
 */
export class IndexedDbHistory implements ChatHistory {
  readonly #name: string;
  readonly #events: HistoryEvents;
  #database: Promise<Database> | null = null;
  #opened = 0;

  constructor(name = 'shoal-chat') {
    this.#name = name;
    this.#events = new HistoryEvents(name);
  }

  get opened(): number {
    return this.#opened;
  }

  subscribe(listener: (event: HistoryEvent, here: boolean) => void): () => void {
    return this.#events.subscribe(listener);
  }

  async list(): Promise<ConversationHeader[]> {
    const all = await this.#run((database) => database.getAll(HEADERS));
    return all.flatMap(readable(parseHeader)).sort((a, b) => b.updatedAt - a.updatedAt);
  }

  async load(id: string): Promise<Conversation | null> {
    const [header, messages] = await this.#run((database) => {
      const transaction = database.transaction([HEADERS, MESSAGES]);
      return Promise.all([
        transaction.objectStore(HEADERS).get(id),
        transaction.objectStore(MESSAGES).getAll(rangeOf(id), MAX_MESSAGES),
        transaction.done,
      ]);
    });
    return header ? parseConversation({ ...header, messages: messagesOf(messages) }) : null;
  }

  async read(id: string, messages: readonly string[]): Promise<KeptMessage[]> {
    const found = await this.#run((database) => {
      const transaction = database.transaction(MESSAGES);
      return Promise.all([
        ...messages.map((message) => transaction.store.get([id, message])),
        transaction.done,
      ]);
    });
    return messagesOf(found);
  }

  async batch(id: string, after: string | null, most: number): Promise<KeptMessage[]> {
    const range = after === null ? rangeOf(id) : IDBKeyRange.bound([id, after], [id, []], true, true);
    return messagesOf(await this.#run((database) => database.getAll(MESSAGES, range, most)));
  }

  async add(conversation: Conversation): Promise<boolean> {
    const [added] = await this.addAll([conversation]);
    return added === true;
  }

  async addAll(conversations: readonly Conversation[]): Promise<boolean[]> {
    const all = conversations.map(parseConversation);
    const added = await this.#change(async (transaction) => {
      const headers = transaction.objectStore(HEADERS);
      const kept = await Promise.all(all.map(({ id }) => headers.getKey(id)));
      const taken = new Set<string | undefined>(kept);
      const isNew = all.map(({ id }) => !taken.has(id) && !!taken.add(id));
      const writing = all.flatMap(({ messages, ...header }, i) =>
        isNew[i] ? [headers.put(header), ...put(transaction, header.id, messages)] : [],
      );
      await Promise.all(writing);
      return isNew;
    });
    const changes = all.flatMap(({ messages, ...header }, i) =>
      added[i] ? [{ header, messages: messages.map(idOf), removed: [] }] : [],
    );
    if (changes.length > 0) this.#events.tell({ kind: 'changed', changes });
    return added;
  }

  async write(id: string, writing: Writing): Promise<boolean> {
    const messages = (writing.messages ?? []).map(parseMessage);
    const removed = [...(writing.removed ?? [])];
    const header = await this.#change(async (transaction) => {
      const kept = transaction.objectStore(MESSAGES);
      const former = await transaction.objectStore(HEADERS).get(id);
      if (!former) return null;
      const there = async (ids: readonly string[]) => {
        const keys = await Promise.all(ids.map((message) => kept.getKey([id, message])));
        return keys.filter((key) => key !== undefined).length;
      };
      const [replaced, gone] = await Promise.all([there(messages.map(idOf)), there(removed)]);
      const more = messages.length - replaced - gone;
      const header = changedHeader(former, writing.header ?? {}, more);
      await Promise.all([
        ...removed.map((message) => kept.delete([id, message])),
        ...put(transaction, id, messages),
        // An answer that grows changes no header.
        writing.header || more !== 0 ? transaction.objectStore(HEADERS).put(header) : null,
      ]);
      return header;
    });
    if (!header) return false;
    this.#events.tell({ kind: 'changed', changes: [{ header, messages: messages.map(idOf), removed }] });
    return true;
  }

  async remove(id: string): Promise<void> {
    await this.#change((transaction) =>
      Promise.all([
        transaction.objectStore(HEADERS).delete(id),
        transaction.objectStore(MESSAGES).delete(rangeOf(id)),
      ]),
    );
    this.#events.tell({ kind: 'removed', id });
  }

  async clear(): Promise<void> {
    await this.#change((transaction) =>
      Promise.all([transaction.objectStore(HEADERS).clear(), transaction.objectStore(MESSAGES).clear()]),
    );
    this.#events.tell({ kind: 'cleared' });
  }

  hold(message: string): () => void {
    if (!navigator.locks) return () => {};
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // A lock ends with its tab, however that ends.
    navigator.locks.request(this.#lockOf(message), () => held).catch(() => {});
    return release;
  }

  async writer(message: string): Promise<{ over: Promise<void> } | null> {
    if (!navigator.locks) return null;
    const name = this.#lockOf(message);
    const free = await navigator.locks.request(name, { mode: 'shared', ifAvailable: true }, (lock) => !!lock);
    return free ? null : { over: navigator.locks.request(name, { mode: 'shared' }, () => {}) };
  }

  #lockOf(message: string): string {
    return `${this.#name}/answer/${message}`;
  }

  /** One transaction over everything, which is done when this resolves. */
  #change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#run(async (database) => {
      const transaction = database.transaction([HEADERS, MESSAGES], 'readwrite');
      // A request that fails ends the transaction with its error, which is told here once.
      const [result] = await Promise.all([work(transaction), transaction.done]);
      return result;
    });
  }

  /** @throws ChatError `history` that says what to do */
  async #run<T>(work: (database: Database) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#open());
    } catch (error) {
      // The browser closed the database (storage was cleared): it is opened anew, once.
      if (!isClosed(error)) throw storageError(error);
    }
    this.#database = null;
    try {
      return await work(await this.#open());
    } catch (error) {
      throw storageError(error);
    }
  }

  #open(): Promise<Database> {
    if (this.#database) return this.#database;
    let blocked = false;
    const opened = new Promise<Database>((resolve, reject) => {
      openDB<Schema>(this.#name, VERSION, {
        upgrade: (database, former, _wanted, transaction) => {
          create(database);
          if (former === 1) void migrate(database, transaction as unknown as Upgrade);
        },
        blocked: () => {
          blocked = true;
          reject(new ChatError('history', OLDER_TAB));
        },
        // Another tab wants a newer version, or to delete the database.
        blocking: (_current, _wanted, event) => {
          (event.target as IDBDatabase).close();
          forget();
        },
        terminated: () => forget(),
      }).then((database) => {
        if (blocked) return database.close();
        this.#opened++;
        resolve(database);
      }, reject);
    });
    const forget = () => {
      if (this.#database === opened) this.#database = null;
    };
    opened.catch(forget);
    this.#database = opened;
    return opened;
  }
}

function create(database: Database): void {
  database.createObjectStore(HEADERS, { keyPath: 'id' });
  database.createObjectStore(MESSAGES, { keyPath: ['conversation', 'id'] });
}

/** Takes over the conversations of version 1, in the transaction of the upgrade: all of it happens, or nothing. */
async function migrate(database: Database, transaction: Upgrade): Promise<void> {
  const former = transaction.objectStore(FORMER_CONVERSATIONS);
  try {
    for (let cursor = await former.openCursor(); cursor; cursor = await cursor.continue()) {
      const [conversation] = [cursor.value].flatMap(
        readable((value) => parseConversation(fromVersion1(value))),
      );
      // What cannot be read stays where it is.
      if (!conversation) continue;
      const { messages, ...header } = conversation;
      const writing = transaction as unknown as Transaction;
      await Promise.all([
        writing.objectStore(HEADERS).put(header),
        ...put(writing, header.id, messages),
        cursor.delete(),
      ]);
    }
    const plain = database as unknown as IDBPDatabase;
    if ((await former.count()) === 0) plain.deleteObjectStore(FORMER_CONVERSATIONS);
    plain.deleteObjectStore(FORMER_HEADERS);
  } catch {
    // Opening then fails with the reason, and version 1 is still there.
    transaction.abort();
  }
}

function put(transaction: Transaction, conversation: string, messages: readonly KeptMessage[]) {
  const store = transaction.objectStore(MESSAGES);
  return messages.map((message) => store.put({ ...message, conversation }));
}

function idOf({ id }: KeptMessage): string {
  return id;
}

/** The keys `[id, …]`: an empty list is above every text. */
function rangeOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

const OLDER_TAB =
  'Conversations cannot be kept yet: another tab still runs an older Shoal. Close that tab or reload it.';
const NEWER_TAB =
  'Conversations cannot be kept: a newer Shoal ran in this browser. Reload this page to get it; copy first what you need.';
const NO_SPACE =
  'The conversation was not kept: this browser has no space left for the page. Delete old conversations or models.';
const NO_STORAGE =
  'Conversations cannot be kept: this browser does not let the page store data. Leave private browsing or allow it.';

function storageError(cause: unknown): ChatError {
  if (cause instanceof ChatError) return cause;
  const name = cause instanceof DOMException ? cause.name : '';
  const message = name === 'QuotaExceededError' ? NO_SPACE : name === 'VersionError' ? NEWER_TAB : NO_STORAGE;
  return new ChatError('history', message, { cause });
}

function isClosed(error: unknown): boolean {
  return error instanceof DOMException && ['InvalidStateError', 'AbortError'].includes(error.name);
}
