import { sampleAsSent } from '../../chat/index.ts';
import { createHost, type Host } from '../../host/index.ts';
import type { RelaySource, Swarm } from '../../swarm/index.ts';
import { aborted, ShoalError, toShoalError } from '../errors.ts';
import { NO_MEMBERSHIP } from '../idle-state.ts';
import { Cell } from '../observable.ts';
import type { Platform } from '../platform.ts';
import { abortable } from '../queue.ts';
import type { IceServer } from '../types.ts';
import { AGENT } from './greet.ts';
import type { Membership } from './types.ts';

/** Milliseconds until a caller is told that no relay answers; joining goes on behind it. */
const JOIN_MS = 15_000;
/** Peers of other versions that are counted: beyond this a person reads only "many". */
const MOST_OTHERS = 1000;

export interface Joined {
  swarm: Swarm;
  host: Host;
}

export interface MemberOptions {
  relays: readonly RelaySource[];
  iceServers: readonly IceServer[];
  /** False: never joins. */
  enabled: boolean;
}

/** This peer's place in the network: joined when it is first needed, left once. */
export class Member {
  readonly state = new Cell<Membership>(NO_MEMBERSHIP);
  /** Peers that speak another version of the protocol. */
  readonly #others = new Set<string>();
  #joining: Promise<Joined> | null = null;
  #left = false;

  constructor(
    private readonly platform: Pick<Platform, 'openSwarm'>,
    private readonly options: MemberOptions,
  ) {}

  get enabled(): boolean {
    return this.options.enabled && !this.#left;
  }

  /**
   * Joins, once, and waits until others can reach this peer.
   * @throws ShoalError `not-available` when it must not, `unreachable` when no relay answers, `aborted`
   */
  async join(signal?: AbortSignal): Promise<Joined> {
    const joined = await this.open(signal);
    const late = AbortSignal.timeout(JOIN_MS);
    try {
      await abortable(joined.swarm.ready, signal ? AbortSignal.any([signal, late]) : late);
    } catch (error) {
      if (signal?.aborted) throw aborted(signal.reason);
      throw new ShoalError(
        'unreachable',
        'No relay answers, so the network cannot be joined yet. It is tried again by itself; check the connection.',
        { cause: error },
      );
    }
    return joined;
  }

  /** As `join`, but does not wait for a relay: links that are there can be used without one. */
  async open(signal?: AbortSignal): Promise<Joined> {
    if (!this.options.enabled) {
      throw new ShoalError(
        'not-available',
        'This Shoal does not join the network: it was made with network: false.',
      );
    }
    if (this.#left) throw new ShoalError('disposed', 'This Shoal has left the network. Create another one.');
    this.#joining ??= this.#open().catch((error: unknown) => {
      // The next caller tries again.
      this.#joining = null;
      const told = toShoalError(error);
      this.state.update({ state: 'offline', error: told });
      throw told;
    });
    return abortable(this.#joining, signal);
  }

  /** Says goodbye: clients of this host recover at once instead of after a deadline. */
  async leave(reason: string): Promise<void> {
    this.#left = true;
    const joined = await this.#joining?.catch(() => null);
    if (!joined) return;
    await joined.host.close(reason);
    await joined.swarm.close(reason);
    this.state.update({ state: 'off', relay: 'gone', addresses: [], sharing: null });
  }

  async #open(): Promise<Joined> {
    this.state.update({ state: 'joining', relay: 'connecting', error: null });
    const { relays, iceServers } = this.options;
    const swarm = await this.platform.openSwarm({ relays, iceServers });
    const { transport, directory, clock } = swarm;
    const onOtherVersion = (peer: string) => this.#metOther(peer);
    const host = createHost({
      transport,
      directory,
      clock,
      agent: AGENT,
      sample: sampleAsSent,
      onOtherVersion,
    });
    swarm.subscribe(() => this.#show(swarm));
    // Closed before anybody could reach it: told by whoever closed it.
    swarm.ready.then(
      () => this.#show(swarm),
      () => {},
    );
    this.#show(swarm);
    return { swarm, host };
  }

  #metOther(peer: string): void {
    if (this.#others.has(peer) || this.#others.size >= MOST_OTHERS) return;
    this.#others.add(peer);
    this.state.update({ otherVersions: this.#others.size });
  }

  #show(swarm: Swarm): void {
    if (this.#left) return;
    const { relay, addresses } = swarm.status();
    const linked = swarm.transport.links().some(({ path }) => path !== 'local' && path !== 'none');
    const state = relay === 'connected' || linked ? 'online' : relay === 'gone' ? 'offline' : 'joining';
    this.state.update({ state, relay, peer: swarm.peer, addresses });
  }
}
