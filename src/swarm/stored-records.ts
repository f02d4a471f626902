import type { LevelDatastore } from 'datastore-level';
import { checkedAddresses } from './addresses.ts';
import { openDatastore } from './datastore.ts';
import type { ProviderRecords } from './provider-records.ts';
import { MAX_UNWRITTEN, WRITE_BATCH, WRITE_BEHIND_MS } from './relay-limits.ts';

/** Beside libp2p's own entries, which begin with a slash and a word of theirs. */
const PREFIX = '/shoal/provider/';
const END = '/shoal/provider0';
/** `<multihash in hex>/<peer id>` */
const NAME = /^([0-9a-f]{4,160})\/([1-9A-HJ-NP-Za-km-z]{32,64})$/;
/** Eight addresses of 512 characters, and what is around them. */
const MAX_VALUE_BYTES = 8 * 1024;

type Database = LevelDatastore['db'];
type Write = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string };

export interface StoredRecordsOptions {
  database: Database;
  records: ProviderRecords;
  warn: (message: string) => void;
}

/**
 * Keeps provider records on disk, written behind: half a second of them may be lost, which their hosts publish anew.
 * Times on disk are milliseconds since 1970, because the clock of the records begins anew with the process.
 */
export class StoredRecords {
  readonly #options: StoredRecordsOptions;
  /** The last state of each record that changed. */
  readonly #waiting = new Map<string, Write>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #over = false;
  #skipped = 0;

  constructor(options: StoredRecordsOptions) {
    this.#options = options;
  }

  /**
   * Reads what is there into the records and begins to write. What is past its time or not readable is deleted.
   * @returns how many records were read
   */
  async begin(): Promise<number> {
    const { database, records } = this.#options;
    let read = 0;
    const unusable: string[] = [];
    for await (const [key, value] of database.iterator({ gte: PREFIX, lt: END })) {
      const found = readRecord(key, value);
      if (found && records.restore(found.key, found.peer, found.addrs, found.remainingMs)) read++;
      else unusable.push(key);
    }
    for (const key of unusable) this.#write({ type: 'del', key });
    records.changed = (key, peer, record) => {
      const name = `${PREFIX}${key}/${peer}`;
      if (record === null) return this.#write({ type: 'del', key: name });
      const value = { addrs: record.addrs, expires: Date.now() + record.remainingMs };
      this.#write({ type: 'put', key: name, value: Buffer.from(JSON.stringify(value)) });
    };
    return read;
  }

  /** Writes what waits, and nothing after that: records that go because the relay does shall be there when it is back. */
  async close(): Promise<void> {
    this.#options.records.changed = () => {};
    this.#over = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#flush();
  }

  #write(write: Write): void {
    if (this.#over) return;
    // A disk that is this slow: the record is missing there, or too long there, until its host publishes it anew.
    if (this.#waiting.size >= MAX_UNWRITTEN && !this.#waiting.has(write.key)) {
      if (this.#skipped++ === 0)
        this.#options.warn('The disk is too slow for the records of the network; some are not kept.');
      return;
    }
    this.#waiting.set(write.key, write);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#flush();
    }, WRITE_BEHIND_MS);
    this.#timer.unref();
  }

  /** One after the other, so that a later state of a record is never overwritten by an earlier one. */
  #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values()].slice(0, WRITE_BATCH);
      for (const { key } of batch) this.#waiting.delete(key);
      try {
        await this.#options.database.batch(batch);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.warn(`Records of the network could not be written to disk. ${why}`);
        return;
      }
    }
  }
}

/**
 * The store on disk with the records in it, which are read.
 * @throws TransportError `data-in-use`
 */
export async function openStoredRecords(
  folder: string,
  { records, warn }: Omit<StoredRecordsOptions, 'database'>,
): Promise<{ store: LevelDatastore; stored: StoredRecords }> {
  let stored: StoredRecords | null = null;
  const store = await openDatastore(folder, {
    warn,
    check: async ({ db }) => {
      stored = new StoredRecords({ database: db, records, warn });
      await stored.begin();
    },
  });
  return { store, stored: stored! };
}

/** null for what is not as it was written, or past its time. */
function readRecord(name: string, bytes: Uint8Array) {
  const [, key, peer] = NAME.exec(name.slice(PREFIX.length)) ?? [];
  if (!key || !peer || bytes.length > MAX_VALUE_BYTES) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null) return null;
    const { addrs, expires } = value as { addrs?: unknown; expires?: unknown };
    if (!Array.isArray(addrs) || typeof expires !== 'number') return null;
    const texts = addrs.filter((one) => typeof one === 'string');
    const usable = checkedAddresses(peer, texts).map(String);
    const remainingMs = expires - Date.now();
    return usable.length > 0 && remainingMs > 0 ? { key, peer, addrs: usable, remainingMs } : null;
  } catch {
    // Not JSON: it is deleted.
    return null;
  }
}
