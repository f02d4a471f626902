import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../guard/write-whole.ts';
import type { Log } from '../watch/types.ts';
import { ApiError } from './errors.ts';
import { withLock } from './file-lock.ts';

/** How every key of a relay begins. */
export const KEY_PREFIX = 'sk-shoal-';
/** 32 bytes: nobody guesses one, so that nothing has to slow down those who try. */
const KEY_BYTES = 32;
/** A key has 52 characters; a longer text is none. */
const MAX_BEARER = 256;
const MAX_KEYS = 1_000;
const MAX_FILE_BYTES = 1 << 20;
/** A number larger than any relay can serve. */
const MAX_LIMIT = 1e12;

export interface KeyInfo {
  id: string;
  name: string;
  /** ISO 8601. */
  created: string;
  /** Null: as the relay is configured. */
  requestsPerMinute: number | null;
  /** Prompts and answers of a day (UTC); null: no limit. */
  tokensPerDay: number | null;
}

export interface NewKey {
  name: string;
  requestsPerMinute?: number | null;
  tokensPerDay?: number | null;
}

const limit = z.number().int().min(1).max(MAX_LIMIT).nullable();
const storedKey = z.strictObject({
  id: z.string().regex(/^key_[0-9a-f]{12}$/),
  name: z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u),
  created: z.iso.datetime(),
  requestsPerMinute: limit,
  tokensPerDay: limit,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const storedFile = z.strictObject({ version: z.literal(1), keys: z.array(storedKey).max(MAX_KEYS) });
type StoredKey = z.infer<typeof storedKey>;

/**
 * The keys of a relay: `keys.json` in its data folder, with hashes only. The command line adds and revokes keys while the
 * relay runs, so the file is looked at whenever a key is asked for.
 */
export class KeyFile {
  /** The data folder. */
  readonly folder: string;
  readonly #path: string;
  readonly #log: Log | null;
  #keys: readonly StoredKey[] = [];
  /** What the file looked like when it was read last. */
  #seen = '';

  private constructor(folder: string, log: Log | null) {
    this.folder = folder;
    this.#path = join(folder, 'keys.json');
    this.#log = log;
  }

  /**
   * @param log is told when the file cannot be read; then nobody gets in by what it says now
   * @throws Error of the file system when the folder cannot be made
   */
  static async open(dataFolder: string, log: Log | null = null): Promise<KeyFile> {
    await mkdir(dataFolder, { recursive: true });
    const keys = new KeyFile(dataFolder, log);
    keys.#refresh();
    return keys;
  }

  list(): KeyInfo[] {
    this.#refresh();
    return this.#keys.map(infoOf);
  }

  /**
   * Makes a key. It is told here once and kept nowhere.
   * @throws ApiError `key_exists`, `invalid_value`, `too_many_keys`, `keys_unreadable`
   */
  add(given: NewKey, signal?: AbortSignal): Promise<{ key: string; info: KeyInfo }> {
    return this.#change((keys) => {
      if (keys.length >= MAX_KEYS) {
        throw new ApiError(409, 'too_many_keys', `There are ${MAX_KEYS} keys. Revoke one that nobody uses.`);
      }
      if (keys.some(({ name }) => name === given.name)) {
        throw new ApiError(
          409,
          'key_exists',
          `There is a key of this name. Revoke it first, or choose another.`,
        );
      }
      const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
      const parsed = storedKey.safeParse({
        id: `key_${randomBytes(6).toString('hex')}`,
        name: given.name,
        created: new Date().toISOString(),
        requestsPerMinute: given.requestsPerMinute ?? null,
        tokensPerDay: given.tokensPerDay ?? null,
        sha256: hash(key).toString('hex'),
      });
      if (!parsed.success) {
        const field = String(parsed.error.issues[0]?.path[0] ?? 'name');
        const rule =
          field === 'name'
            ? 'letters, digits, spaces and . _ @ -, at most 64'
            : `a whole number from 1 to ${MAX_LIMIT}`;
        throw new ApiError(400, 'invalid_value', `${field} must be ${rule}.`, { param: field });
      }
      return { keys: [...keys, parsed.data], result: { key, info: infoOf(parsed.data) } };
    }, signal);
  }

  /** @throws ApiError `no_key`, `keys_unreadable` */
  revoke(idOrName: string, signal?: AbortSignal): Promise<KeyInfo> {
    return this.#change((keys) => {
      const found = keys.find(({ id, name }) => id === idOrName || name === idOrName);
      if (!found) throw new ApiError(404, 'no_key', 'There is no key of this id or name.');
      return { keys: keys.filter((key) => key !== found), result: infoOf(found) };
    }, signal);
  }

  /** The key that this text is; null for none. The time it takes says nothing about the keys. */
  check(bearer: string): KeyInfo | null {
    this.#refresh();
    if (bearer.length > MAX_BEARER) return null;
    const given = hash(bearer);
    let found: StoredKey | null = null;
    // All are compared, whichever it is.
    for (const key of this.#keys) if (timingSafeEqual(given, Buffer.from(key.sha256, 'hex'))) found = key;
    return found && infoOf(found);
  }

  /** Reads the file when it has changed. What cannot be read leaves the keys as they were. */
  #refresh(): void {
    try {
      const stats = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
      const seen = stats ? `${stats.ino} ${stats.mtimeNs} ${stats.size}` : 'absent';
      if (seen === this.#seen) return;
      // Told once for each state of the file, not for each request.
      this.#seen = seen;
      this.#keys = stats ? read(this.#path, Number(stats.size)) : [];
    } catch (error) {
      this.#log?.error('The file of API keys cannot be read. The keys read before stay in force.', {
        file: this.#path,
        code: error instanceof ApiError ? error.code : (error as NodeJS.ErrnoException).code,
      });
    }
  }

  async #change<T>(
    work: (keys: readonly StoredKey[]) => { keys: StoredKey[]; result: T },
    signal?: AbortSignal,
  ): Promise<T> {
    return withLock(
      this.#path,
      async () => {
        // Not the copy here: another process may have changed the file, and a broken file is not written over.
        const stats = statSync(this.#path, { throwIfNoEntry: false });
        const { keys, result } = work(stats ? read(this.#path, stats.size) : []);
        await writeWhole(this.#path, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`, { mode: 0o600 });
        this.#refresh();
        return result;
      },
      signal,
    );
  }
}

/** @throws ApiError `keys_unreadable` */
function read(path: string, size: number): readonly StoredKey[] {
  const broken = 'keys.json is no file of keys. Repair it or move it away; new keys then begin a new one.';
  if (size > MAX_FILE_BYTES) throw new ApiError(500, 'keys_unreadable', broken);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // The cause is left out of the message: it quotes the file.
    throw new ApiError(500, 'keys_unreadable', broken, { cause });
  }
  const parsed = storedFile.safeParse(value);
  if (!parsed.success) throw new ApiError(500, 'keys_unreadable', broken);
  return parsed.data.keys;
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function infoOf({ id, name, created, requestsPerMinute, tokensPerDay }: StoredKey): KeyInfo {
  return { id, name, created, requestsPerMinute, tokensPerDay };
}
