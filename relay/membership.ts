import type { LinkPath } from '../src/swarm/index.ts';
import { TransportError } from '../src/swarm/index.ts';
import type { RelaySwarm, RelaySwarmOptions } from '../src/swarm/node.ts';
import { explain } from './errors.ts';
import type { NetworkDescription } from './http/network-route.ts';
import type { Log } from './watch/types.ts';

/** What /healthz tells about the network: numbers, and nobody's name. */
export interface NetworkHealth {
  state: 'joining' | 'online' | 'failed';
  /** Peers that are connected. */
  peers: number;
  /** Peers that can be reached through this relay. */
  reservations: number;
  /** What hosts have published here. */
  records: number;
  /** Other relays that this one is connected with. */
  joined: number;
  /** Peers that exchange frames with this relay, by the path that these take. */
  links: Partial<Record<LinkPath, number>>;
}

/** Mistakes of the operator: a relay that went on without the network would hide them. */
const FATAL: readonly string[] = ['data-in-use', 'listen-failed'];

/** This relay as a member of the network, on the port of its HTTP server. */
export class Membership {
  #state: NetworkHealth['state'] = 'joining';
  #swarm: RelaySwarm | null = null;
  #joining: Promise<RelaySwarm | null> | null = null;

  constructor(private readonly log: Log) {}

  /**
   * Joins, once. When it cannot, the log says why, this resolves to null, and the relay serves on.
   * @throws TransportError `data-in-use`, `listen-failed`
   */
  join(options: RelaySwarmOptions): Promise<RelaySwarm | null> {
    this.#joining ??= this.#join(options);
    return this.#joining;
  }

  /** Null until it has joined. */
  get swarm(): RelaySwarm | null {
    return this.#swarm;
  }

  /** For /network.json; while the relay joins, which takes a second, this waits. Null when it could not join. */
  async describe(): Promise<NetworkDescription | null> {
    await this.#joining?.catch(() => null);
    return this.#swarm && { ...this.#swarm.bootstrap(), addresses: this.#swarm.status().addresses };
  }

  health(): NetworkHealth {
    const links: NetworkHealth['links'] = {};
    for (const { path } of this.#swarm?.transport.links() ?? []) links[path] = (links[path] ?? 0) + 1;
    const { peers, reservations, records, joined } = this.#swarm?.counts() ?? {
      peers: 0,
      reservations: 0,
      records: 0,
      joined: 0,
    };
    return { state: this.#state, peers, reservations, records, joined, links };
  }

  /** Says goodbye to every peer. */
  async close(reason: string): Promise<void> {
    const swarm = await this.#joining?.catch(() => null);
    await swarm?.close(reason);
  }

  async #join(options: RelaySwarmOptions): Promise<RelaySwarm | null> {
    try {
      // libp2p takes a second to load, which the page need not wait for.
      const { createRelaySwarm } = await import('../src/swarm/node.ts');
      this.#swarm = await createRelaySwarm(options);
      this.#state = 'online';
      this.log.info(`In the network as ${this.#swarm.peer}.`);
      for (const address of this.#swarm.status().addresses) this.log.info(`Reached at ${address}`);
    } catch (error) {
      this.#state = 'failed';
      if (error instanceof TransportError && FATAL.includes(error.code)) throw error;
      this.log.error(
        `This relay is not in the network; it serves the page and the models. ${explain(error)}`,
      );
    }
    return this.#swarm;
  }
}
