import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

export type MemoryState = 'ok' | 'tight' | 'full';

/** Bytes. */
export interface MemorySample {
  /** Resident memory of the process. */
  rss: number;
  /** JavaScript's own objects, and where V8 would end the process. */
  heap: number;
  heapLimit: number;
  /** What the container, else the machine, has. */
  total: number;
}

export interface MemoryStatus {
  state: MemoryState;
  /** Bytes: resident, and where work is refused. */
  rss: number;
  limit: number;
  heap: number;
  heapLimit: number;
}

export interface MemoryOptions {
  /** Share of the memory above which work is refused, 0 to 1. */
  share: number;
  intervalMs?: number;
  read?: () => MemorySample;
}

/** Shares of the limit. What was left must be left clearly, or the state would flap with every collected page. */
const TIGHT = 0.9;
const NO_LONGER_FULL = 0.95;
const NO_LONGER_TIGHT = 0.85;

/** Watches what this process takes, so that work is refused before the kernel or V8 ends it. */
export class MemoryWatch {
  readonly #share: number;
  readonly #read: () => MemorySample;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(status: MemoryStatus) => void>();
  #status: MemoryStatus;

  constructor({ share, intervalMs = 1000, read = readMemory }: MemoryOptions) {
    this.#share = share;
    this.#read = read;
    this.#status = this.#judge('ok');
    this.#timer = setInterval(() => this.sample(), intervalMs);
    this.#timer.unref();
  }

  status(): MemoryStatus {
    return { ...this.#status };
  }

  /** Called at each change of the state. @returns how to stop that */
  onChange(listener: (status: MemoryStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks now rather than within the second. */
  sample(): MemoryStatus {
    const before = this.#status.state;
    this.#status = this.#judge(before);
    if (this.#status.state !== before)
      for (const listener of [...this.#listeners]) listener({ ...this.#status });
    return this.status();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #judge(before: MemoryState): MemoryStatus {
    const { rss, heap, heapLimit, total } = this.#read();
    const limit = this.#share * total;
    // A small container fills up by its resident memory, a large machine by V8's own limit of a few gigabytes.
    const used = Math.max(rss / limit, heap / (this.#share * heapLimit));
    const full = used >= 1 || (before === 'full' && used >= NO_LONGER_FULL);
    const tight = used >= TIGHT || (before !== 'ok' && used >= NO_LONGER_TIGHT);
    return { state: full ? 'full' : tight ? 'tight' : 'ok', rss, limit, heap, heapLimit };
  }
}

/**
 * V8 counts the young objects' space into its limit, three times 16 MB, but ends the process when the old ones have
 * filled theirs: with --max-old-space-size=150 the limit reads 198 MB, and the end came at 150. Bytes.
 */
const YOUNG_SPACE = 48 * 1024 * 1024;

export function readMemory(): MemorySample {
  const { rss, heapUsed } = process.memoryUsage();
  const machine = totalmem();
  // 0, or more than there is, where no container sets a limit.
  const container = process.constrainedMemory?.() ?? 0;
  const total = container > 0 && container < machine ? container : machine;
  const heapLimit = getHeapStatistics().heap_size_limit;
  return { rss, heap: heapUsed, heapLimit: Math.max(heapLimit - YOUNG_SPACE, heapLimit / 2), total };
}
