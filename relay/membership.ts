import type { LinkPath } from '../src/swarm/index.ts';
import type { RelaySwarm } from '../src/swarm/node.ts';
import { explain } from './errors.ts';
import type { NetworkDescription, RelayServer } from './server.ts';

/** What /healthz tells about the network: numbers, and nobody's name. */
export interface NetworkHealth {
  state: 'joining' | 'online' | 'failed';
  /** Peers that are connected. */
  peers: number;
  /** Peers that can be reached through this relay. */
  reservations: number;
  /** What hosts have published here. */
  records: number;
  /** Peers that exchange frames with this relay, by the path that these take. */
  links: Partial<Record<LinkPath, number>>;
}

/** This relay as a member of the network, on the port of its HTTP server. */
export class Membership {
  #state: NetworkHealth['state'] = 'joining';
  #swarm: RelaySwarm | null = null;
  #joining: Promise<RelaySwarm | null> | null = null;

  /**
   * The identity lies in the data folder, so that tabs find the same peer again after a restart. Never rejects: when it
   * cannot join, the log says why, this resolves to null, and the relay serves on.
   */
  join(server: RelayServer, data: string): Promise<RelaySwarm | null> {
    this.#joining ??= this.#join(server, data);
    return this.#joining;
  }

  /** For /network.json; while the relay joins, which takes a second, this waits. Null when it could not join. */
  async describe(): Promise<NetworkDescription | null> {
    await this.#joining;
    return this.#swarm && { ...this.#swarm.bootstrap(), addresses: this.#swarm.status().addresses };
  }

  health(): NetworkHealth {
    const links: NetworkHealth['links'] = {};
    for (const { path } of this.#swarm?.transport.links() ?? []) links[path] = (links[path] ?? 0) + 1;
    const counts = this.#swarm?.counts() ?? { peers: 0, reservations: 0, records: 0 };
    return { state: this.#state, ...counts, links };
  }

  /** Says goodbye to every peer. */
  async close(reason: string): Promise<void> {
    const swarm = await this.#joining;
    await swarm?.close(reason);
  }

  async #join(server: RelayServer, data: string): Promise<RelaySwarm | null> {
    try {
      // libp2p takes a second to load, which neither --help nor an error in the options needs.
      const { createRelaySwarm } = await import('../src/swarm/node.ts');
      this.#swarm = await createRelaySwarm({ attachTo: server.http, dataFolder: data });
      this.#state = 'online';
      console.log(`In the network as ${this.#swarm.peer}.`);
    } catch (error) {
      this.#state = 'failed';
      console.error(`This relay is not in the network; it serves the page and the models. ${explain(error)}`);
    }
    return this.#swarm;
  }
}
