import type { LinkPath } from '../../swarm/index.ts';
import type { MapLink, MapPeer, NetworkMap } from './types.ts';

/** Peers and links of one picture: more cannot be told apart. */
export const MOST_PEERS = 2_000;
export const MOST_LINKS = 8_000;
const MOST_RELAYS = 64;
const MOST_MODELS = 64;
const MOST_LAYERS = 1_024;
/** Slices of one peer. */
const MOST_SLICES = 16;
const MOST_COUNT = 1_000_000;
const LONGEST_NAME = 120;
/** An hour: what is slower is no round trip. */
const LONGEST_TRIP_MS = 3_600_000;

/** The end of a peer id. */
const SHORT_ID = /^[a-zA-Z0-9]{1,16}$/;
const PEER_ID = /^[a-zA-Z0-9]{16,128}$/;
const CID = /^[a-zA-Z0-9]{1,120}$/;
const PATHS: readonly LinkPath[] = ['direct', 'relayed', 'websocket', 'tcp'];

/** How a peer is named in a picture. */
export function shortId(peer: string): string {
  return peer.slice(-8);
}

/** The same for both directions of a link. */
export function pairOf(from: string, to: string): string {
  return from < to ? `${from} ${to}` : `${to} ${from}`;
}

/** What a relay tells, checked: everything in it is of the right type, and no list is longer than its cap. */
export interface Told {
  /** Own peer id of the relay, whole; null when it is not in the network. */
  relay: string | null;
  /** Milliseconds since 1970; 0 when it does not say. */
  at: number;
  peers: MapPeer[];
  links: MapLink[];
  models: NetworkMap['models'];
  total: number;
  running: number;
}

/** Checks a state. What does not fit is left out. */
export function told(state: unknown): Told {
  const whole = field(field(state, 'relay'), 'peer');
  const relay = typeof whole === 'string' && PEER_ID.test(whole) ? whole : null;
  const peers = peersIn(state, relay);
  const at = Date.parse(String(field(state, 'at')));
  const connected = count(field(field(state, 'peers'), 'total')) ?? 0;
  const answers = count(field(field(state, 'answers'), 'running')) ?? 0;
  return {
    relay,
    at: Number.isFinite(at) ? at : 0,
    peers,
    links: linksIn(field(state, 'links')),
    models: modelsIn(field(state, 'models')),
    // The relay does not count itself.
    total: Math.max(peers.length, connected + (relay ? 1 : 0)),
    running: answers + peers.reduce((sum, { sessions }) => sum + (sessions ?? 0), 0),
  };
}

function peersIn(state: unknown, relay: string | null): MapPeer[] {
  const peers = new Map<string, MapPeer>();
  const add = (peer: MapPeer) => {
    if (peers.size < MOST_PEERS && !peers.has(peer.id)) peers.set(peer.id, peer);
  };
  if (relay) add({ id: shortId(relay), kind: 'relay', layers: [], sessions: null });
  for (const host of many(field(state, 'hosts'), MOST_PEERS)) {
    const id = field(host, 'peer');
    if (!isShortId(id)) continue;
    const layers = slicesIn(field(host, 'layers'));
    const sessions = count(field(host, 'sessions'));
    const known = peers.get(id);
    if (known?.kind === 'relay') peers.set(id, { ...known, layers, sessions });
    else add({ id, kind: 'host', layers, sessions });
  }
  for (const other of many(field(state, 'relays'), MOST_RELAYS)) {
    const id = field(other, 'peer');
    if (!isShortId(id) || field(other, 'state') !== 'connected') continue;
    const lends = peers.get(id);
    if (lends) peers.set(id, { ...lends, kind: 'relay' });
    else add({ id, kind: 'relay', layers: [], sessions: null });
  }
  for (const id of many(field(state, 'clients'), MOST_PEERS)) {
    if (isShortId(id)) add({ id, kind: 'client', layers: [], sessions: null });
  }
  return [...peers.values()];
}

function linksIn(value: unknown): MapLink[] {
  const links = new Map<string, MapLink>();
  for (const link of many(value, MOST_LINKS)) {
    const from = field(link, 'from');
    const to = field(link, 'to');
    const path = PATHS.find((one) => one === field(link, 'path'));
    if (!isShortId(from) || !isShortId(to) || from === to || !path) continue;
    links.set(pairOf(from, to), { from, to, path, roundTripMs: trip(field(link, 'round_trip_ms')) });
  }
  return [...links.values()];
}

function modelsIn(value: unknown): NetworkMap['models'] {
  return many(value, MOST_MODELS).flatMap((model) => {
    const cid = field(model, 'cid');
    const name = field(model, 'name');
    const layers = count(field(model, 'layers'));
    if (typeof cid !== 'string' || !CID.test(cid) || layers === null || layers > MOST_LAYERS) return [];
    const holders = many(field(model, 'coverage'), layers);
    const coverage = Array.from({ length: layers }, (_, layer) => count(holders[layer]) ?? 0);
    const clientLayers = Math.min(count(field(model, 'client_layers')) ?? 0, layers);
    const shown = typeof name === 'string' && name !== '' ? name.slice(0, LONGEST_NAME) : shortId(cid);
    return { cid, name: shown, layers, coverage, clientLayers };
  });
}

function slicesIn(value: unknown): MapPeer['layers'] {
  return many(value, MOST_SLICES).flatMap((slice) => {
    const cid = field(slice, 'cid');
    const start = count(field(slice, 'start'));
    const end = count(field(slice, 'end'));
    const sound = start !== null && end !== null && start < end && end <= MOST_LAYERS;
    return typeof cid === 'string' && CID.test(cid) && sound ? { cid, start, end } : [];
  });
}

function isShortId(value: unknown): value is string {
  return typeof value === 'string' && SHORT_ID.test(value);
}

function count(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_COUNT ? Number(value) : null;
}

function trip(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_TRIP_MS ? value : null;
}

export function many(value: unknown, most: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
