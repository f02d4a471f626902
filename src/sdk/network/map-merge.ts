import { MOST_LINKS, MOST_PEERS, pairOf, shortId, type Told } from './map-told.ts';
import type { MapLink, MapPeer, NetworkMap, NetworkSnapshot, PeerSnapshot, Sharing } from './types.ts';

/**
 * The relay's picture with this tab put in: its own links, which only it measures itself, and peers that it knows and
 * the relay never heard of, such as those of a second relay.
 * @param heard every id that this relay told of since it was reached: who is not told any more is gone, whatever this
 * tab remembers of it
 * @param now milliseconds since 1970
 */
export function withOwn(
  told: Told,
  own: NetworkSnapshot,
  heard: ReadonlySet<string>,
  now: number,
): NetworkMap {
  const peers = new Map(told.peers.map((peer) => [peer.id, peer]));
  const links = new Map(told.links.map((link) => [pairOf(link.from, link.to), link]));
  for (const peer of others(own)) if (!heard.has(peer.id)) put(peers, peer);
  const self = selfIn(own, peers.get(shortId(own.self?.peer ?? '')) ?? null);
  if (self) peers.set(self.id, self);
  for (const link of ownLinks(own)) {
    const pair = pairOf(link.from, link.to);
    // What was not measured here yet may have been at the other end.
    links.set(pair, { ...link, roundTripMs: link.roundTripMs ?? links.get(pair)?.roundTripMs ?? null });
  }
  return {
    source: 'relay',
    at: told.at || now,
    peers: [...peers.values()],
    links: between(links, peers),
    models: told.models,
    total: Math.max(told.total, peers.size),
    running: told.running,
  };
}

/** What this tab sees by itself: those that lend and those that it is linked to. */
export function ownSight(own: NetworkSnapshot, now: number): NetworkMap {
  const peers = new Map<string, MapPeer>();
  const self = selfIn(own, null);
  if (self) put(peers, self);
  for (const peer of others(own)) put(peers, peer);
  const links = new Map<string, MapLink>();
  for (const { from, to, path, roundTripMs } of own.linksOfOthers) {
    links.set(pairOf(shortId(from), shortId(to)), {
      from: shortId(from),
      to: shortId(to),
      path,
      roundTripMs,
    });
  }
  for (const link of ownLinks(own)) links.set(pairOf(link.from, link.to), link);
  for (const { from, to } of links.values()) {
    // Somebody whom a peer is linked to and that lends nothing asks.
    for (const id of [from, to]) put(peers, { id, kind: 'client', layers: [], sessions: null });
  }
  return {
    source: self ? 'own' : 'none',
    at: now,
    peers: [...peers.values()],
    links: between(links, peers),
    models: own.coverage.map(({ cid, model, layers, clientLayers }) => ({
      cid,
      name: model,
      layers: layers.length,
      coverage: layers.map(({ holders }) => holders.length),
      clientLayers,
    })),
    total: peers.size,
    running: [...peers.values()].reduce((sum, { sessions }) => sum + (sessions ?? 0), 0),
  };
}

/** Shares whose slice is loaded; one that only finishes what runs takes nobody, but it still has it. */
const HELD: readonly Sharing['state'][] = ['sharing', 'paused', 'draining'];

/** This tab with what it lends now; what the relay says of it may be some seconds old. */
function selfIn({ self }: NetworkSnapshot, told: MapPeer | null): MapPeer | null {
  if (!self) return null;
  const { peer, sharing } = self;
  const id = shortId(peer);
  if (!sharing || !HELD.includes(sharing.state)) return { id, kind: 'self', layers: [], sessions: null };
  const { cid, start, end } = sharing;
  const sessions = Math.max(sharing.sessions, told?.sessions ?? 0);
  return { id, kind: 'self', layers: [{ cid, start, end }], sessions };
}

/** The relays that this tab is linked to, and the peers that lend. */
function others({ peers, relays, links, self }: NetworkSnapshot): MapPeer[] {
  const found = peers
    .filter(({ peer }) => peer !== self?.peer)
    .map((peer) => lender(peer, relays.includes(peer.peer) ? 'relay' : 'host'));
  const lending = new Set(peers.map(({ peer }) => peer));
  for (const { peer, path } of links) {
    if (path === 'none' || !relays.includes(peer) || lending.has(peer)) continue;
    found.push({ id: shortId(peer), kind: 'relay', layers: [], sessions: null });
  }
  return found;
}

function lender({ peer, offers }: PeerSnapshot, kind: MapPeer['kind']): MapPeer {
  return {
    id: shortId(peer),
    kind,
    layers: offers.filter(({ draining }) => !draining).map(({ cid, start, end }) => ({ cid, start, end })),
    // Each offer tells of the sessions on its own slice.
    sessions: offers.reduce((sum, { sessions }) => sum + sessions, 0),
  };
}

function ownLinks({ self, links }: NetworkSnapshot): MapLink[] {
  if (!self) return [];
  return links
    .filter(({ peer, path }) => peer !== self.peer && path !== 'none' && path !== 'local')
    .map(({ peer, path, roundTripMs }) => ({
      from: shortId(self.peer),
      to: shortId(peer),
      path,
      roundTripMs,
    }));
}

function between(links: ReadonlyMap<string, MapLink>, peers: ReadonlyMap<string, MapPeer>): MapLink[] {
  return [...links.values()].filter(({ from, to }) => peers.has(from) && peers.has(to)).slice(0, MOST_LINKS);
}

function put(peers: Map<string, MapPeer>, peer: MapPeer): void {
  if (peers.size < MOST_PEERS && !peers.has(peer.id)) peers.set(peer.id, peer);
}
