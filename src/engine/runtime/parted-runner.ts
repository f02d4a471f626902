import type { KvCache, SliceRunner } from './runner.ts';

/** The caches that one session has in each part. */
export class PartedCache implements KvCache {
  constructor(readonly parts: readonly KvCache[]) {}

  get length(): number {
    return this.parts[0]!.length;
  }

  get bytes(): number {
    return this.parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  truncate(length: number): void {
    for (const part of this.parts) part.truncate(length);
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}

/**
 * A slice as a line of smaller ones in the same thread, which computes the same bits. While a back end starts, it
 * holds its weights twice, as they were given and as it packs them: in parts, that is one part twice, not all.
 */
export class PartedRunner implements SliceRunner<PartedCache> {
  /** @param parts in order of their layers; at least the first has layers */
  constructor(private readonly parts: readonly SliceRunner[]) {}

  get batches(): boolean {
    return this.parts.every((part) => part.batches);
  }

  newCache(): PartedCache {
    return new PartedCache(this.parts.map((part) => part.newCache()));
  }

  async run(
    caches: readonly PartedCache[],
    hidden: Float32Array,
    steps: number,
    rows: readonly number[],
  ): Promise<Float32Array> {
    let state = hidden;
    for (const [at, part] of this.parts.entries())
      state = await part.run(
        caches.map((cache) => cache.parts[at]!),
        state,
        steps,
        rows,
      );
    return state;
  }

  async dispose(): Promise<void> {
    for (const part of this.parts) await part.dispose();
  }
}
