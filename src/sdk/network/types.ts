import type { HostCounters } from '../../host/index.ts';
import type { LinkPath } from '../../swarm/index.ts';
import type { LinkReport, Offer } from '../../wire/index.ts';
import type { ShoalError } from '../errors.ts';

/** A job under way, in plain words; `done` of `total` bytes, both 0 when there is nothing to count. */
export interface Progress {
  detail: string;
  done: number;
  total: number;
}

/** How hard a device works for others: the share of its time that the engine may run for them. */
export type SharePower = 'light' | 'medium' | 'full';

export interface ShareLimits {
  /** Default `full`. */
  power?: SharePower;
  /** Bytes that weights and caches may take together. Less than now: new conversations are refused until it fits. */
  memory?: number;
}

export interface ShareOptions extends ShareLimits {
  /** Id or cid; default: the model that is loaded, else the relay's first. */
  model?: string;
  /** Layers `[start, end)`; default: those that the network holds least of and that fit the memory. */
  layers?: readonly [start: number, end: number];
  onProgress?: (sharing: Sharing) => void;
  signal?: AbortSignal;
}

export interface UnshareOptions {
  /** Ends running sessions at once instead of letting them finish (at most 5 minutes); their clients recover. */
  force?: boolean;
}

/** What this device lends, from the moment that it begins to get it ready. */
export interface Sharing {
  /** `failed` stays until the next `share` or `unshare`, so that the reason can be read. */
  state: 'preparing' | 'sharing' | 'paused' | 'draining' | 'failed';
  power: SharePower;
  cid: string;
  /** Name of the model. */
  model: string;
  start: number;
  /** Exclusive. */
  end: number;
  /** What runs it; null until it is loaded. */
  backend: string | null;
  /** While it prepares. */
  progress: Progress | null;
  error: ShoalError | null;
  /** Sessions open now. */
  sessions: number;
  /** Answers' tokens computed for others: one step each. */
  servedTokens: number;
  /** Positions computed in all, prompts and replays included. */
  servedPositions: number;
  /** Bytes that weights and caches take now. */
  memoryBytes: number;
  /** Since this tab joined; they only rise. */
  counters: HostCounters;
}

/** This peer in the network; costs nothing to watch. */
export interface Membership {
  /**
   * `off`: never joined. `offline`: joined, but neither a relay nor a peer can be reached now; it keeps trying, or
   * `error` says why it cannot.
   */
  state: 'off' | 'joining' | 'online' | 'offline';
  relay: 'connected' | 'connecting' | 'gone';
  /** Own peer id, null before joining. */
  peer: string | null;
  /** Where others reach this peer. */
  addresses: string[];
  sharing: Sharing | null;
  /** What is being made ready for the network route. */
  preparing: Progress | null;
  /**
   * Peers met since joining that speak another version of the protocol, so that they and this one cannot compute
   * together. More than none: one of the two pages is out of date, and a reload may help.
   */
  otherVersions: number;
  error: ShoalError | null;
}

export interface PeerSnapshot {
  peer: string;
  /** Program and version. */
  agent: string;
  /** True for this very peer. */
  self: boolean;
  offers: Offer[];
}

export interface LinkSnapshot {
  peer: string;
  path: LinkPath;
  /** Milliseconds there and back; null before it is measured. */
  roundTripMs: number | null;
  bytesIn: number;
  bytesOut: number;
}

/** A link between two other peers, as one of them told. Each pair comes once: `from` and `to` are no direction. */
export interface LinkOfOthers {
  from: string;
  to: string;
  path: LinkReport['path'];
  /** Milliseconds there and back; null before it is measured. */
  roundTripMs: number | null;
}

/** Who holds the layers of one model. */
export interface ModelCoverage {
  cid: string;
  /** Name, where this peer knows the model. */
  model: string;
  layers: { layer: number; holders: string[] }[];
  /** The first layers, which a client in private mode runs itself. */
  clientLayers: number;
  /** Layers after those that nobody holds, as ranges. */
  missing: { start: number; end: number }[];
}

/** The network as this peer sees it. */
export interface NetworkSnapshot {
  state: Membership['state'];
  relay: Membership['relay'];
  self: { peer: string; addresses: string[]; sharing: Sharing | null } | null;
  /** Peers that lend something, this one included. */
  peers: PeerSnapshot[];
  /** Links of this peer. */
  links: LinkSnapshot[];
  /** Links between others: of the peers that lend, the relays, and those that this peer is linked to. */
  linksOfOthers: LinkOfOthers[];
  /** Peer ids of the relays that this peer knows. */
  relays: string[];
  coverage: ModelCoverage[];
  /** Sessions that this peer has served since it joined. */
  sessionsServed: number;
  error: ShoalError | null;
}

/** A peer of the network picture. Ids are the last eight characters: a relay names nobody whole to strangers. */
export interface MapPeer {
  id: string;
  /** This tab, the relay that tells, another relay, a peer that lends, a peer that only asks. */
  kind: 'self' | 'relay' | 'host' | 'client';
  layers: { cid: string; start: number; end: number }[];
  /** Sessions that run there now; null when it does not say. */
  sessions: number | null;
}

export interface MapLink {
  from: string;
  to: string;
  path: LinkPath;
  /** Milliseconds there and back; null before it was measured. */
  roundTripMs: number | null;
}

/** The whole network in one picture, as the relay tells it, with this tab's own links put in. */
export interface NetworkMap {
  /** `relay`: told by the relay; `own`: only what this tab sees by itself, for the relay is gone; `none`: nothing yet. */
  source: 'relay' | 'own' | 'none';
  /** Milliseconds since 1970 of what is shown. */
  at: number;
  peers: MapPeer[];
  links: MapLink[];
  models: { cid: string; name: string; layers: number; coverage: number[]; clientLayers: number }[];
  /** Peers in all, also those that are not in `peers`: the picture is capped. */
  total: number;
  /** Answers of the relay's API that run now, and sessions on all hosts. */
  running: number;
}
