import type { LayerRange } from '../../src/swarm/index.ts';
import type { RecentEvent } from './recent.ts';

/** Hosts told of singly; there may be more. */
export const MAX_HOSTS = 500;
/** Peers that only ask, told of singly. */
export const MAX_CLIENTS = 500;
/** Links told of: about four for each of 500 peers, which is more than a picture can show apart. */
export const MAX_LINKS = 2_000;

/**
 * What this relay sees of the network, for the map, the status page and `shoal-relay status`. No address, no key and
 * no text is in it, and peers are named by the end of their id: who looks may count peers, but not find them.
 */
export interface NetworkState {
  /** When it was seen, ISO 8601. */
  at: string;
  relay: { peer: string | null; version: string; uptime_s: number; url: string | null; draining: boolean };
  models: ModelState[];
  peers: {
    total: number;
    /** Peers that lend layers, this relay included when it does. */
    hosting: number;
    /** Peers that exchange frames with this relay, by the path of the link. */
    by_path: Record<string, number>;
  };
  hosts: HostState[];
  /** Peers that are connected here and lend nothing, by the last eight characters of their ids; there may be more. */
  clients: string[];
  /** Who is linked to whom: this relay's own connections, and what hosts tell of theirs. Each pair comes once. */
  links: LinkState[];
  /** Other relays that this one is joined with. */
  relays: { peer: string; state: string }[];
  reservations: number;
  records: number;
  answers: {
    running: number;
    waiting: number;
    /** Since midnight, UTC. */
    today: number;
    /** Since the counters began. */
    total: number;
    /** Tokens of answers over the API, since the counters began. */
    tokens_total: number;
  };
  /** Bytes between two peers that passed through this relay since it started. */
  relayed_bytes: number;
  recent: RecentEvent[];
}

export interface ModelState {
  id: string;
  cid: string;
  name: string;
  layers: number;
  /** How many hosts hold each layer, this relay counted. */
  coverage: number[];
  /** Hosts that hold any layer. */
  holders: number;
  /** The first layers, which a client in private mode runs itself: nobody has to hold them. */
  client_layers: number;
}

export interface HostState {
  /** The last eight characters of the peer id. */
  peer: string;
  /** This relay itself. */
  self: boolean;
  layers: ({ cid: string } & LayerRange)[];
  /** False: as the directory has it, which may be a few layers more than there are. */
  exact: boolean;
  /** `local`, `direct`, `relayed`, `websocket`, `tcp`; `none` without a link. */
  path: string;
  /** Milliseconds, whole; null before it was measured. */
  round_trip_ms: number | null;
  /** Sessions open there; null when it did not say. */
  sessions: number | null;
}

export interface LinkState {
  /** The last eight characters of the peer ids of both ends, in no direction. */
  from: string;
  to: string;
  /** `direct`, `relayed`, `websocket`, `tcp`. */
  path: string;
  /** Milliseconds, whole; null before it was measured. Small changes are not told. */
  round_trip_ms: number | null;
}

/** A peer's name in what everybody may read. */
export function shortId(peer: string): string {
  return peer.slice(-8);
}
