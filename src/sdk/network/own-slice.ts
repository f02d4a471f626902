import type { Host } from '../../host/index.ts';
import type { Manifest } from '../../model/index.ts';
import type { LayerRange } from '../../swarm/index.ts';
import type { ModelEntry } from '../types.ts';
import { DEFAULT_MEMORY } from './choose-layers.ts';
import type { PartLoader } from './part-loader.ts';

/**
 * Runs layers in this tab that no peer holds any more, for its own chains only: its host serves them to nobody else,
 * for nobody switched sharing on. Their weights come from the store, or from the relay while it is there.
 */
export class OwnSlices {
  #held: { host: Host; cid: string; range: LayerRange }[] = [];

  constructor(private readonly loadPart: PartLoader) {}

  /** @returns false when this tab cannot run them: no weights, no memory, no engine */
  async run(
    host: Host,
    entry: ModelEntry,
    manifest: Manifest,
    range: LayerRange,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await host.lend(
        {
          cid: entry.cid,
          layers: manifest.config.layers,
          ...range,
          main: { ...range, embed: false, head: false },
          memoryBudget: DEFAULT_MEMORY,
          ownUse: true,
          load: (part, { signal }) =>
            this.loadPart(entry, part, { memory: DEFAULT_MEMORY, measure: false, signal, report: () => {} }),
        },
        { signal },
      );
    } catch {
      // The chain says which layers nobody holds; that this tab was not able to help changes nothing about it.
      return false;
    }
    this.#held.push({ host, cid: entry.cid, range });
    return true;
  }

  /** When no chain is left that could use them. */
  async drop(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const gone = { signal: AbortSignal.abort() };
    await Promise.allSettled(held.map(({ host, cid, range }) => host.drain(cid, range, gone)));
  }
}
