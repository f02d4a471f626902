import { FRONT_LAYERS, type Link } from '../../src/swarm/index.ts';
import type { ConnectedPeer } from '../../src/swarm/node.ts';
import type { RelayMeters } from './meters.ts';
import { clientsOf, linksOf, type SeenPeers } from './network-links.ts';
import { type HostState, MAX_HOSTS, type ModelState, type NetworkState, shortId } from './network-state.ts';
import type { RecentEvents } from './recent.ts';
import { SteadyTrips } from './steady.ts';
import type { SeenHost, SeenSlice } from './survey.ts';

/** The relay's node, as far as it is looked at; `RelaySwarm` fits. */
export interface WatchedSwarm {
  readonly peer: string;
  readonly transport: { links(): Link[] };
  connected(): ConnectedPeer[];
  counts(): { peers: number; reservations: number; records: number; relayedBytes?: number };
}

/** Where the state comes from. Each answers at once, from what it knows. */
export interface NetworkSources {
  version: string;
  url: string | null;
  draining: () => boolean;
  models: () => readonly Pick<ModelState, 'id' | 'cid' | 'name' | 'layers'>[];
  /** Null until the relay is in the network. */
  swarm: () => WatchedSwarm | null;
  survey: () => readonly SeenHost[];
  /** What this relay lends itself, announced slices only. */
  own: () => { slices: readonly SeenSlice[]; sessions: number };
  joined: () => readonly { peer: string; state: string }[];
  answers: () => { running: number; waiting: number };
  meters: Pick<RelayMeters, 'total' | 'answersToday'>;
  events: RecentEvents;
  now?: () => Date;
}

/** Puts together what this relay sees of the network. */
export class NetworkWatch {
  readonly #started: number;
  readonly #now: () => Date;
  readonly #trips = new SteadyTrips();
  #peers = 0;

  constructor(private readonly sources: NetworkSources) {
    this.#now = sources.now ?? (() => new Date());
    this.#started = this.#now().getTime();
  }

  /** As it is now. Notes in the events how many peers came or left since it was asked last. */
  state(): NetworkState {
    const { sources } = this;
    const now = this.#now();
    const swarm = sources.swarm();
    const counts = swarm?.counts() ?? { peers: 0, reservations: 0, records: 0 };
    this.#note(counts.peers);
    const links = swarm?.transport.links() ?? [];
    const seen: SeenPeers = {
      relay: swarm?.peer ?? null,
      connected: swarm?.connected() ?? [],
      links,
      hosts: sources.survey(),
      joined: sources.joined().map(({ peer }) => peer),
    };
    const hosts = this.#hosts(swarm, seen);
    const told = linksOf(seen, this.#trips);
    this.#trips.looked();
    const { running, waiting } = sources.answers();
    return {
      at: now.toISOString(),
      relay: {
        peer: swarm?.peer ?? null,
        version: sources.version,
        uptime_s: Math.round((now.getTime() - this.#started) / 1000),
        url: sources.url,
        draining: sources.draining(),
      },
      models: sources.models().map((model) => covered(model, hosts)),
      peers: { total: counts.peers, hosting: hosts.length, by_path: byPath(links) },
      hosts: hosts.slice(0, MAX_HOSTS),
      clients: clientsOf(seen),
      links: told,
      relays: sources.joined().map(({ peer, state }) => ({ peer: shortId(peer), state })),
      reservations: counts.reservations,
      records: counts.records,
      answers: {
        running,
        waiting,
        today: sources.meters.answersToday(),
        total: sources.meters.total('shoal_answers_total'),
        tokens_total: sources.meters.total('shoal_api_tokens_total', { kind: 'completion' }),
      },
      relayed_bytes: counts.relayedBytes ?? 0,
      recent: sources.events.list(),
    };
  }

  /** Those that come and go between two looks cancel out. */
  #note(peers: number): void {
    if (peers > this.#peers) this.sources.events.add('joined', { count: peers - this.#peers });
    if (peers < this.#peers) this.sources.events.add('left', { count: this.#peers - peers });
    this.#peers = peers;
  }

  #hosts(swarm: WatchedSwarm | null, { links, hosts }: SeenPeers): HostState[] {
    const linkOf = new Map(links.map((link) => [link.peer, link]));
    const others = hosts.map(({ peer, slices, exact, sessions }): HostState => {
      const link = linkOf.get(peer);
      return {
        peer: shortId(peer),
        self: false,
        layers: slices.map(({ cid, start, end }) => ({ cid, start, end })),
        exact,
        path: link?.path ?? 'none',
        round_trip_ms: this.#trips.told(`${swarm?.peer} ${peer}`, link?.roundTripMs ?? null),
        sessions,
      };
    });
    const { slices, sessions } = this.sources.own();
    if (!swarm || slices.length === 0) return others;
    const layers = slices.map(({ cid, start, end }) => ({ cid, start, end }));
    const self = { peer: shortId(swarm.peer), self: true, layers, exact: true };
    return [{ ...self, path: 'local', round_trip_ms: 0, sessions }, ...others];
  }
}

function covered(
  { id, cid, name, layers }: Pick<ModelState, 'id' | 'cid' | 'name' | 'layers'>,
  hosts: readonly HostState[],
): ModelState {
  const coverage = new Array<number>(layers).fill(0);
  let holders = 0;
  for (const host of hosts) {
    // A host may lend slices that overlap; it still counts once.
    const held = new Set<number>();
    for (const slice of host.layers) {
      if (slice.cid !== cid) continue;
      for (let layer = slice.start; layer < Math.min(slice.end, layers); layer++) held.add(layer);
    }
    if (held.size > 0) holders++;
    for (const layer of held) coverage[layer] = (coverage[layer] ?? 0) + 1;
  }
  return { id, cid, name, layers, coverage, holders, client_layers: Math.min(FRONT_LAYERS, layers) };
}

function byPath(links: readonly Link[]): Record<string, number> {
  const paths: Record<string, number> = {};
  for (const { path } of links) paths[path] = (paths[path] ?? 0) + 1;
  return paths;
}
