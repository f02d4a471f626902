import { FRONT_LAYERS } from '../../src/swarm/index.ts';
import { BenchTab, type Pool } from './tab.ts';
import type { ChainRequest } from './web/client.ts';

export const HOPS = 3;

/** A client and a chain of three tabs in one browser, each slice with a tab that stands by for it. */
export class ChainLab {
  private constructor(
    readonly pool: Pool,
    readonly client: BenchTab,
    /** Per slice: the tab that computes first, then the one that stands by. */
    readonly hosts: BenchTab[][],
  ) {}

  static async open(pool: Pool): Promise<ChainLab> {
    const hosts = await Promise.all(
      Array.from({ length: HOPS }, async (_, hop) => [await BenchTab.host(pool, ...sliceOf(pool, hop))]),
    );
    const client = await BenchTab.client(pool);
    return new ChainLab(pool, client, hosts);
  }

  /** Opens what is missing until each slice has two tabs. */
  async standBy(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (tabs, hop) => {
        while (tabs.length < 2) tabs.push(await BenchTab.host(this.pool, ...sliceOf(this.pool, hop)));
      }),
    );
  }

  /** The first tab of each slice. */
  get chain(): ChainRequest {
    return { prefer: this.hosts.map(([first]) => first!.peer) };
  }

  async close(): Promise<void> {
    await Promise.all([this.client, ...this.hosts.flat()].map((tab) => tab.close()));
  }
}

/** The layers after the client's own, in three parts of about the same size. */
function sliceOf({ model }: Pool, hop: number): [start: number, end: number] {
  const { layers } = model.manifest.config;
  const at = (i: number) => FRONT_LAYERS + Math.round(((layers - FRONT_LAYERS) * i) / HOPS);
  return [at(hop), at(hop + 1)];
}
