import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../guard/write-whole.ts';
import type { Log } from '../watch/types.ts';

/** How far the file may be behind: what a crash forgets. Milliseconds. */
const WRITE_AFTER_MS = 5_000;
/** As many as there may be keys; one that is revoked and made anew in a day leaves its count behind. */
const MAX_COUNTED = 10_000;
const MAX_FILE_BYTES = 1 << 20;
const DAY_MS = 86_400_000;

const stored = z.strictObject({
  day: z.iso.date(),
  tokens: z.record(z.string().max(64), z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)),
});

/** Tokens that each key has used today (UTC), kept over a restart in `usage.json`. */
export class DailyUsage {
  readonly #path: string;
  readonly #log: Log;
  readonly #now: () => number;
  #day: string;
  #tokens: Map<string, number>;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, log: Log, now: () => number, day: string, tokens: Map<string, number>) {
    this.#path = path;
    this.#log = log;
    this.#now = now;
    this.#day = day;
    this.#tokens = tokens;
  }

  /** @param now milliseconds since 1970 */
  static open(dataFolder: string, log: Log, now: () => number = Date.now): DailyUsage {
    const path = join(dataFolder, 'usage.json');
    let day = '';
    let tokens = new Map<string, number>();
    try {
      if (statSync(path).size > MAX_FILE_BYTES) throw new Error('too large');
      const file = stored.parse(JSON.parse(readFileSync(path, 'utf8')));
      day = file.day;
      tokens = new Map(Object.entries(file.tokens));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        log.warn('The tokens that keys used today cannot be read. They are counted from nought.', {
          file: path,
        });
      }
    }
    return new DailyUsage(path, log, now, day, tokens);
  }

  of(key: string): number {
    this.#turnDay();
    return this.#tokens.get(key) ?? 0;
  }

  /** Seconds until the count begins anew. */
  get resetsIn(): number {
    return Math.ceil((DAY_MS - (this.#now() % DAY_MS)) / 1000);
  }

  add(key: string, tokens: number): void {
    if (tokens <= 0) return;
    this.#turnDay();
    if (!this.#tokens.has(key) && this.#tokens.size >= MAX_COUNTED) return;
    this.#tokens.set(key, (this.#tokens.get(key) ?? 0) + tokens);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS).unref();
  }

  /** Writes what is not written yet. */
  flush(): Promise<void> {
    if (this.#timer === null) return this.#writing;
    clearTimeout(this.#timer);
    this.#timer = null;
    const text = JSON.stringify({ day: this.#day, tokens: Object.fromEntries(this.#tokens) });
    // One after the other, so that an older state never lies over a newer one.
    this.#writing = this.#writing
      .then(() => writeWhole(this.#path, `${text}\n`, { mode: 0o600 }))
      .catch((error: unknown) => {
        this.#log.error('The tokens that keys used today cannot be written; a restart forgets them.', {
          reason: error instanceof Error ? error.message : 'unknown',
        });
      });
    return this.#writing;
  }

  #turnDay(): void {
    const today = new Date(this.#now()).toISOString().slice(0, 10);
    if (today === this.#day) return;
    this.#day = today;
    this.#tokens = new Map();
  }
}
