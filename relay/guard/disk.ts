import { statfs } from 'node:fs/promises';
import type { Log } from '../watch/types.ts';

export interface DiskOptions {
  folder: string;
  log: Log;
  /** Bytes below which the disk counts as tight: a day of logs and counters, and room for a small download. */
  low?: number;
  intervalMs?: number;
  /** Free bytes that this process may use. */
  read?: (folder: string) => Promise<number>;
}

/** Said again only when clearly more is free, or the line would come every half minute. */
const NO_LONGER_LOW = 1.25;

/** Watches the free space of the data folder. Nothing here ever fails: a disk that cannot be asked is logged once. */
export class DiskWatch {
  readonly #options: Required<DiskOptions>;
  readonly #timer: NodeJS.Timeout;
  #tight = false;
  #free: number | null = null;
  #askedInVain = false;

  constructor(options: DiskOptions) {
    this.#options = { low: 512 * 1024 * 1024, intervalMs: 30_000, read: freeBytes, ...options };
    this.#timer = setInterval(() => void this.check(), this.#options.intervalMs);
    this.#timer.unref();
    void this.check();
  }

  /** True while downloads and other large writes should wait. */
  get tight(): boolean {
    return this.#tight;
  }

  /** Bytes; null before the first answer, or when the disk cannot be asked. */
  get free(): number | null {
    return this.#free;
  }

  /** Looks now rather than within the half minute. Never rejects. */
  async check(): Promise<void> {
    const { folder, log, low, read } = this.#options;
    try {
      this.#free = await read(folder);
    } catch (error) {
      this.#free = null;
      if (!this.#askedInVain)
        log.warn('The free space of the data folder cannot be read.', { code: codeOf(error) });
      this.#askedInVain = true;
      return;
    }
    this.#askedInVain = false;
    const was = this.#tight;
    this.#tight = this.#free < low * (was ? NO_LONGER_LOW : 1);
    if (this.#tight && !was)
      log.warn('The disk is nearly full: free some space.', { folder, free: this.#free });
    else if (was && !this.#tight) log.info('There is space on the disk again.', { folder, free: this.#free });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown';
}
