import type { Engine, EngineInfo } from '../engine/index.ts';
import { EngineError } from '../engine/index.ts';
import type { Part } from '../wire/index.ts';
import { layersInWords } from './layer-words.ts';
import { Leases } from './leases.ts';
import { BLOCK_TOKENS, HostError, type LentSlice } from './types.ts';

interface Loaded {
  part: Part;
  engine: Engine;
}

/** Most blocks that are offered: a part without layers needs none, and a number must stand there. */
const MOST_BLOCKS = 2 ** 20;

export function keyOf({ start, end, embed, head }: Part): string {
  return `${start}-${end}${embed ? '-embed' : ''}${head ? '-head' : ''}`;
}

/**
 * The engines of one lent slice and the memory they share with the sessions' caches. The main part stays; others are
 * loaded when a session needs them and disposed of when nobody uses them and the memory is needed.
 */
export class Parts {
  /** Milliseconds that loading took per layer. */
  loadMs = 0;
  readonly #leases = new Leases<Loaded>(({ engine }) => void engine.dispose().catch(() => undefined), true);
  /** Bytes of weights, loaded or about to be. */
  readonly #weights = new Map<string, { bytes: number }>();
  #cacheBytes = 0;
  #main: Engine | null = null;

  constructor(private readonly slice: LentSlice) {}

  /** @throws HostError `bad-slice`, `aborted`; EngineError, ModelError from loading */
  async loadMain(signal: AbortSignal): Promise<Engine> {
    const { main, memoryBudget } = this.slice;
    const { engine } = await this.#take(main, true, signal);
    const { weightBytes } = engine.info;
    if (weightBytes > memoryBudget) {
      await this.dispose();
      throw new HostError(
        'bad-slice',
        `These layers take ${megabytes(weightBytes)} and the budget is ${megabytes(memoryBudget)}: lend fewer layers.`,
      );
    }
    this.#main = engine;
    return engine;
  }

  /** Of the main part. */
  get info(): EngineInfo {
    return this.#main!.info;
  }

  /**
   * An engine for exactly this part; `release` when the last session on it is closed.
   * @throws EngineError `out-of-memory` when weights do not fit beside what is in use; what loading throws
   */
  async acquire(part: Part, signal: AbortSignal): Promise<Engine> {
    const { engine } = await this.#take(part, false, signal);
    if (this.#free(true) >= 0) {
      this.#makeRoom(0);
      return engine;
    }
    this.release(part);
    this.#makeRoom(0);
    throw new EngineError('out-of-memory', `there is no room for ${layersInWords(part)} beside the sessions`);
  }

  release(part: Part): void {
    this.#leases.give(keyOf(part));
  }

  /** Layers that are loaded now, and what goes with them. */
  loaded(): Part[] {
    const parts = this.#leases.values().map(({ part }) => part);
    const hasHead = parts.some(({ start, end, head }) => head && start === end);
    return parts
      .filter(({ start, end }) => start < end)
      .map((part) => ({ ...part, head: part.head || (hasHead && part.end === this.slice.layers) }));
  }

  /** KV cache of a part per token, as far as it can be known before it is loaded. */
  kvBytesPerToken({ start, end }: Part): number {
    const { slice, kvBytesPerToken } = this.info;
    const layers = slice.end - slice.start;
    return layers === 0 ? 0 : (kvBytesPerToken / layers) * (end - start);
  }

  /** Takes the memory of a cache. @returns false when it is not there */
  reserve(bytes: number): boolean {
    if (this.#free(true) < bytes) return false;
    this.#makeRoom(bytes);
    this.#cacheBytes += bytes;
    this.#told();
    return true;
  }

  free(bytes: number): void {
    this.#cacheBytes -= bytes;
    this.#told();
  }

  /** Blocks of 16 tokens of the main part that further sessions can have. */
  freeBlocks(): number {
    const blockBytes = BLOCK_TOKENS * this.info.kvBytesPerToken;
    const blocks = blockBytes === 0 ? MOST_BLOCKS : Math.floor(this.#free(true) / blockBytes);
    return Math.max(0, Math.min(MOST_BLOCKS, blocks));
  }

  /** Disposes of every engine; the caches in them are gone. */
  async dispose(): Promise<void> {
    this.#weights.clear();
    this.#told();
    await Promise.allSettled(this.#leases.clear().map(({ engine }) => engine.dispose()));
  }

  #take(part: Part, measure: boolean, signal: AbortSignal): Promise<Loaded> {
    const key = keyOf(part);
    return this.#leases.take(
      key,
      async (stop) => {
        const claim = { bytes: 0 };
        if (this.#main) {
          const estimate = this.#estimate(part);
          if (this.#free(true) < estimate)
            throw new EngineError('out-of-memory', `no memory for ${layersInWords(part)}`);
          this.#makeRoom(estimate);
          // Taken before it is known exactly: two loads at once must not count on the same memory.
          claim.bytes = estimate;
        }
        this.#weights.set(key, claim);
        this.#told();
        try {
          const engine = await this.slice.load(part, { measure, signal: stop });
          if (stop.aborted) {
            await engine.dispose();
            throw new HostError('aborted', 'Nobody waits for this part any more.');
          }
          claim.bytes = engine.info.weightBytes;
          this.#told();
          return { part, engine };
        } catch (error) {
          // A part that nobody waits for may be loaded anew already, under the same key.
          if (this.#weights.get(key) === claim) this.#weights.delete(key);
          this.#told();
          throw error;
        }
      },
      signal,
    );
  }

  /** Weights of a part before it is loaded, from those of the main part. */
  #estimate(part: Part): number {
    if (this.slice.weightBytes) return this.slice.weightBytes(part);
    const { start, end, embed, head } = part;
    const { slice, weightBytes, vocabulary, width } = this.info;
    const layers = slice.end - slice.start;
    // A quantised matrix has about a byte per value, and the embedding is one.
    const table = vocabulary * width;
    const tables = (slice.embed ? table : 0) + (slice.head ? table : 0);
    const perLayer = layers === 0 ? 0 : Math.max(0, weightBytes - tables) / layers;
    return perLayer * (end - start) + (embed ? table : 0) + (head ? table : 0);
  }

  /** @param asIfIdleWereGone counts the memory of parts that nobody uses as free */
  #free(asIfIdleWereGone: boolean): number {
    let taken = this.#taken();
    if (asIfIdleWereGone)
      for (const { key } of this.#leases.unused()) taken -= this.#weights.get(key)?.bytes ?? 0;
    return this.slice.memoryBudget - taken;
  }

  #makeRoom(bytes: number): void {
    for (const { key, value } of this.#leases.unused()) {
      if (this.#free(false) >= bytes) return;
      this.#leases.remove(key);
      this.#weights.delete(key);
      this.#told();
      void value.engine.dispose().catch(() => undefined);
    }
  }

  #taken(): number {
    let bytes = this.#cacheBytes;
    for (const weights of this.#weights.values()) bytes += weights.bytes;
    return bytes;
  }

  #told(): void {
    this.slice.onMemory?.(this.#taken());
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
