import type { Link } from '../../src/swarm/index.ts';
import type { ConnectedPeer } from '../../src/swarm/node.ts';
import { type LinkState, MAX_CLIENTS, MAX_LINKS, shortId } from './network-state.ts';
import type { SteadyTrips } from './steady.ts';
import type { SeenHost } from './survey.ts';

/** Links between others that are told: what is left when every host and every client has its link to this relay. */
const MOST_OF_OTHERS = MAX_LINKS / 2;

export interface SeenPeers {
  /** Own peer id, whole; null outside the network. */
  relay: string | null;
  connected: readonly ConnectedPeer[];
  /** Links with frames: they are measured more often. */
  links: readonly Link[];
  hosts: readonly SeenHost[];
  /** Peer ids of joined relays. */
  joined: readonly string[];
}

/** Peers that are connected and lend nothing, as they are told. */
export function clientsOf({ connected, hosts, joined }: SeenPeers): string[] {
  const others = new Set([...hosts.map(({ peer }) => peer), ...joined]);
  return connected
    .filter(({ peer }) => !others.has(peer))
    .slice(0, MAX_CLIENTS)
    .map(({ peer }) => shortId(peer));
}

/**
 * Who is linked to whom: hosts with this relay, then hosts with others, then the rest with this relay. A host may say
 * what it likes of its links, so that only those to peers that are known here count; then a peer that is gone takes
 * its links along at once.
 */
export function linksOf(seen: SeenPeers, trips: SteadyTrips): LinkState[] {
  const { relay, connected, links, hosts, joined } = seen;
  if (relay === null) return [];
  const own = new Map<string, Pick<Link, 'path' | 'roundTripMs'>>();
  for (const { peer, path, roundTripMs } of [...connected, ...links]) {
    if (path === 'local' || path === 'none') continue;
    own.set(peer, { path, roundTripMs: roundTripMs ?? own.get(peer)?.roundTripMs ?? null });
  }
  const lenders = new Set(hosts.map(({ peer }) => peer));
  const known = new Set([...own.keys(), ...lenders, ...joined]);
  const told: LinkState[] = [];
  const tell = (from: string, to: string, path: string, ms: number | null) => {
    if (told.length >= MAX_LINKS) return;
    const name = `${from} ${to}`;
    told.push({ from: shortId(from), to: shortId(to), path, round_trip_ms: trips.told(name, ms) });
  };
  const tellOwn = (lends: boolean) => {
    for (const [peer, { path, roundTripMs }] of own) {
      if (lenders.has(peer) === lends) tell(relay, peer, path, roundTripMs);
    }
  };
  tellOwn(true);
  for (const { from, to, path, ms } of betweenOthers(hosts, known, relay)) tell(from, to, path, ms);
  tellOwn(false);
  return told;
}

interface Between {
  from: string;
  to: string;
  path: string;
  ms: number | null;
}

/** The first link of every host, then every second one, and so on: none crowds out the others. */
function betweenOthers(hosts: readonly SeenHost[], known: ReadonlySet<string>, relay: string): Between[] {
  const found = new Map<string, Between>();
  const most = Math.max(0, ...hosts.map(({ links }) => links.length));
  for (let rank = 0; rank < most && found.size < MOST_OF_OTHERS; rank++) {
    for (const { peer, links } of hosts) {
      const link = links[rank];
      // Of its links to this relay it is known here what they are.
      if (!link || link.peer === relay || link.peer === peer || !known.has(link.peer)) continue;
      const [from, to] = peer < link.peer ? [peer, link.peer] : [link.peer, peer];
      const before = found.get(`${from} ${to}`);
      if (before) before.ms ??= link.round_trip_ms;
      else if (found.size < MOST_OF_OTHERS)
        found.set(`${from} ${to}`, { from, to, path: link.path, ms: link.round_trip_ms });
    }
  }
  return [...found.values()];
}
