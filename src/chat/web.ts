import { ChatError } from './errors.ts';
import {
  type ChatHistory,
  type Conversation,
  type ConversationSummary,
  parseConversation,
} from './history.ts';

const SUMMARIES = 'summaries';
const MESSAGES = 'messages';

/**
 * Conversations in IndexedDB. Each is one record, written in one transaction, so that tabs of one profile never write
 * over each other's other conversations; summaries lie apart, so that the list does not read every message.
 */
export class IndexedDbHistory implements ChatHistory {
  readonly #name: string;
  #database: Promise<IDBDatabase> | null = null;

  constructor(name = 'shoal-chat') {
    this.#name = name;
  }

  async list(): Promise<ConversationSummary[]> {
    const all = await this.#transaction<ConversationSummary[]>('readonly', (store) =>
      store(SUMMARIES).getAll(),
    );
    return all.sort((a, b) => b.updatedAt - a.updatedAt);
  }

  async load(id: string): Promise<Conversation | null> {
    const kept = await this.#transaction<unknown>('readonly', (store) => store(MESSAGES).get(id));
    return kept === undefined ? null : parseConversation(kept);
  }

  async save(conversation: Conversation): Promise<void> {
    const checked = parseConversation(conversation);
    const { messages: _, ...summary } = checked;
    await this.#transaction('readwrite', (store) => {
      store(SUMMARIES).put(summary);
      return store(MESSAGES).put(checked);
    });
  }

  async remove(id: string): Promise<void> {
    await this.#transaction('readwrite', (store) => {
      store(SUMMARIES).delete(id);
      return store(MESSAGES).delete(id);
    });
  }

  async clear(): Promise<void> {
    await this.#transaction('readwrite', (store) => {
      store(SUMMARIES).clear();
      return store(MESSAGES).clear();
    });
  }

  /** Runs requests in one transaction over both stores; gives the result of the last once all is written. */
  async #transaction<T>(
    mode: IDBTransactionMode,
    work: (store: (name: string) => IDBObjectStore) => IDBRequest,
  ): Promise<T> {
    const database = await this.#open();
    return new Promise((resolve, reject) => {
      let transaction: IDBTransaction;
      try {
        transaction = database.transaction([SUMMARIES, MESSAGES], mode);
      } catch (cause) {
        // The browser closed the database (storage was cleared); the next call opens it again.
        this.#database = null;
        reject(storageError(cause));
        return;
      }
      const request = work((name) => transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onabort = () => reject(storageError(transaction.error));
    });
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(SUMMARIES, { keyPath: 'id' });
        request.result.createObjectStore(MESSAGES, { keyPath: 'id' });
      };
      request.onerror = () => reject(storageError(request.error));
      request.onsuccess = () => {
        const database = request.result;
        const forget = () => {
          database.close();
          this.#database = null;
        };
        // Another tab wants a newer version, or to delete the database.
        database.onversionchange = forget;
        database.onclose = forget;
        resolve(database);
      };
    }).catch((error: unknown) => {
      this.#database = null;
      throw error;
    });
    return this.#database;
  }
}

function storageError(cause: unknown): ChatError {
  const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new ChatError(
    'history',
    full
      ? 'The conversation was not kept: this browser has no space left for the page. Delete old conversations or models.'
      : 'Conversations cannot be kept: this browser does not let the page store data. Leave private browsing or allow it.',
    { cause },
  );
}
