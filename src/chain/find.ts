import type { Clock, Directory, LayerRange, PeerAddress } from '../swarm/index.ts';
import type { Control } from './control.ts';
import { type OfferFilter, usableOffers } from './offers.ts';
import type { Candidate } from './plan.ts';
import { ChainError, type ChainLimits } from './types.ts';
import { within } from './wait.ts';

/** Peers that are asked in one search; a directory that lists more is not worth a longer wait. */
const MOST_PROBES = 64;
/** Peers remembered. */
const MOST_KNOWN = 256;

export interface FinderOptions {
  control: Control;
  directory: Directory;
  clock: Clock;
  filter: OfferFilter;
  limits: ChainLimits;
  exclude: ReadonlySet<string>;
  /** These and nobody else: the directory is not asked. */
  only?: readonly string[];
  /** Asked in any case, whatever the directory says. */
  also?: readonly string[];
}

/** Who holds layers, and what they say about it. */
export class Finder {
  readonly #known = new Map<string, { candidate: Candidate; at: number }>();
  readonly #options: FinderOptions;
  /** Milliseconds that searches took, in all. */
  spentMs = 0;

  constructor(options: FinderOptions) {
    this.#options = options;
    options.control.onGone = (peer) => this.forget(peer);
  }

  get filter(): OfferFilter {
    return this.#options.filter;
  }

  /** All peers that answered with something useful and were not lost since. */
  known(): Candidate[] {
    return [...this.#known.values()].map(({ candidate }) => candidate);
  }

  get(peer: string): Candidate | undefined {
    return this.#known.get(peer)?.candidate;
  }

  /** A peer that was lost or refused: it has to answer again before it is used again. */
  forget(peer: string): void {
    this.#known.delete(peer);
  }

  /**
   * Asks the directory for holders of layers of the range, and each of them what it lends. After the time of a probe
   * those that are silent are waited for only while the others are not `enough`: a new link may take longer.
   * @param options.capMs for the directory
   * @returns every usable peer known afterwards
   * @throws ChainError `unreachable` when neither the directory nor any holder answers, `aborted`
   */
  async find(
    range: LayerRange,
    signal: AbortSignal,
    { enough, capMs = Infinity }: { enough: (known: Candidate[]) => boolean; capMs?: number },
  ): Promise<Candidate[]> {
    const { clock, only, also = [], exclude } = this.#options;
    const started = clock.now();
    try {
      const holders = only ? [] : await this.#holders(range, signal, capMs);
      const named = [...(only ?? also).map((peer) => this.#addressOf(peer)), ...holders].filter(
        ({ peer }, at, all) => !exclude.has(peer) && all.findIndex((one) => one.peer === peer) === at,
      );
      await this.#probeAll(named.slice(0, MOST_PROBES), signal, enough);
      const asked = holders.filter(({ peer }) => !exclude.has(peer)).length;
      if (asked > 0 && this.#known.size === 0) {
        throw new ChainError(
          'unreachable',
          `${asked} ${asked === 1 ? 'peer holds' : 'peers hold'} parts of the model, but none answers ` +
            'with something that can be used here. Try again in a moment.',
        );
      }
      return this.known();
    } finally {
      this.spentMs += clock.now() - started;
    }
  }

  /** A peer that is named without an address has a link already, or is this very peer. */
  #addressOf(peer: string): PeerAddress {
    const { transport } = this.#options.control;
    return { peer, addrs: peer === transport.self ? transport.addresses() : [] };
  }

  async #holders(range: LayerRange, signal: AbortSignal, capMs: number): Promise<readonly PeerAddress[]> {
    const { clock, directory, filter, limits, also = [] } = this.#options;
    try {
      return await within(
        clock,
        Math.min(limits.findMs, capMs),
        signal,
        'The directory of the network did not answer in time. Check the connection to the relay.',
        (until) => directory.holders({ cid: filter.cid, layers: filter.layers }, range, { signal: until }),
      );
    } catch (error) {
      if (signal.aborted) throw error;
      if (this.#known.size > 0 || also.length > 0) return [];
      const why = error instanceof Error ? error.message : 'The directory failed.';
      throw new ChainError('unreachable', `Nobody can be found: ${why}`, { cause: error });
    }
  }

  async #probeAll(
    asked: readonly PeerAddress[],
    signal: AbortSignal,
    enough: (known: Candidate[]) => boolean,
  ): Promise<void> {
    const { clock, limits } = this.#options;
    let cancel = () => {};
    const probing = (until: AbortSignal) =>
      new Promise<void>((resolve) => {
        let left = asked.length;
        let late = false;
        const look = () => {
          if (left === 0 || (late && enough(this.known()))) resolve();
        };
        cancel = clock.after(limits.probeMs, () => {
          late = true;
          look();
        });
        for (const address of asked) {
          // It fails only when the whole search was stopped.
          this.probe(address, until)
            .catch(() => undefined)
            .finally(() => {
              left--;
              look();
            });
        }
        look();
      });
    try {
      await within(clock, limits.findMs, signal, 'Not all peers answered.', probing);
    } catch (error) {
      if (signal.aborted) throw error;
    } finally {
      cancel();
    }
  }

  /** Asks one peer, unless it answered a short while ago. @throws ChainError `aborted` only */
  async probe(address: PeerAddress, signal: AbortSignal): Promise<void> {
    const { control, clock, filter, limits } = this.#options;
    const { peer } = address;
    const before = this.#known.get(peer);
    // The own host answers at once, and what it said a moment ago about its room may be over.
    const own = peer === control.transport.self;
    if (before && !own && clock.now() - before.at < limits.probeCacheMs) return;
    try {
      const late = `${peer} does not answer.`;
      // The cap is one for round trips; a peer without a link has to be dialled first.
      const capMs = control.transport.link(peer) ? limits.probeMs : limits.findMs;
      const { hello, ms } = await within(clock, capMs, signal, late, (until) =>
        control.probe(address, until),
      );
      const offers = usableOffers(hello, filter);
      this.#known.delete(peer);
      if (offers.length === 0) return;
      const link = control.transport.link(peer);
      const local = peer === control.transport.self;
      const candidate: Candidate = {
        address,
        path: local ? 'local' : (link?.path ?? 'none'),
        roundTripMs: local ? 0 : (link?.roundTripMs ?? ms),
        offers,
      };
      this.#known.set(peer, { candidate, at: clock.now() });
      const oldest = this.#known.keys().next();
      if (this.#known.size > MOST_KNOWN && !oldest.done) this.#known.delete(oldest.value);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#known.delete(peer);
    }
  }
}
