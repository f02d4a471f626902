import { ChainPeers, type ChainPeersOptions } from '../../src/chain/index.ts';
import type { Clock, Directory } from '../../src/swarm/index.ts';

/** Milliseconds for which it is known who shares: a tab that comes is used a moment later, one that goes is not waited for. */
const FRESH_MS = 3_000;
/** Milliseconds that a first look may take; directories and links of this relay answer in a few. */
const LOOK_MS = 1_000;

export interface SharersOptions {
  self: string;
  cid: string;
  layers: number;
  directory: Directory;
  clock: Clock;
  peers: ChainPeers;
}

/** Whether anybody but this relay lends layers of one model now. */
export class Sharers {
  #known: { at: number; named: string; shared: boolean } | null = null;
  #looking: Promise<void> | null = null;

  constructor(private readonly options: SharersOptions) {}

  /**
   * Nobody named by the directory: at once. Named peers are asked whether they lend; what they said is believed for three
   * seconds, and after that while they are asked again behind the question's back, as long as the same ones are named.
   */
  async any(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.options;
    const named = await this.#named(signal);
    if (named === '') return false;
    const known = this.#known;
    const usable = known?.named === named;
    if (usable && clock.now() - known.at < FRESH_MS) return known.shared;
    this.#looking ??= this.#look(named).finally(() => {
      this.#looking = null;
    });
    if (usable) return known.shared;
    await this.#looking;
    return this.#known?.shared ?? false;
  }

  /** The peers that the directory names, as one text; empty for none. */
  async #named(signal: AbortSignal): Promise<string> {
    const { directory, cid, layers, self } = this.options;
    try {
      const holders = await directory.holders({ cid, layers }, { start: 0, end: layers }, { signal });
      return holders
        .map(({ peer }) => peer)
        .filter((peer) => peer !== self)
        .sort()
        .join(' ');
    } catch {
      // Without a directory nobody is known to share.
      return '';
    }
  }

  async #look(named: string): Promise<void> {
    const { clock, peers, self } = this.options;
    const stop = new AbortController();
    const cancel = clock.after(LOOK_MS, () => stop.abort());
    // Nobody who is named answers, or not in time: those who did are known all the same.
    await peers.look(stop.signal).catch(() => undefined);
    cancel();
    const shared = peers.known().some((peer) => peer !== self);
    this.#known = { at: clock.now(), named, shared };
  }
}

/** The peers of one model, for each of the two routes. */
export class ModelPeers {
  readonly own: ChainPeers;
  readonly network: ChainPeers;
  readonly sharers: Sharers;

  constructor(options: Omit<ChainPeersOptions, 'only' | 'standIn' | 'arithmetic'>) {
    const { transport, cid, layers, directory, clock } = options;
    const { self } = transport;
    // Alone this relay may compute as it does best; in a chain all compute alike.
    this.own = new ChainPeers({ ...options, only: [self], arithmetic: 'any' });
    const limits = { ...options.limits, probeCacheMs: FRESH_MS };
    this.network = new ChainPeers({ ...options, limits, standIn: [self], arithmetic: 'exact' });
    this.sharers = new Sharers({ self, cid, layers, directory, clock, peers: this.network });
  }

  dispose(): void {
    this.own.dispose();
    this.network.dispose();
  }
}
