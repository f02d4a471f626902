import type { RelayState } from './swarm.ts';
import { TransportError } from './types.ts';

/** A peer id as text: base58, `12D3Koo…` or `Qm…`. */
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{32,64}$/;

/** What a relay says about itself, for the page that asks its HTTP server. */
export interface Bootstrap {
  /** Peer id. */
  peer: string;
  /** Path of the WebSocket; `/` works as well, which is what libp2p dials. */
  path: string;
  /** Relays that it joined, or that joined it: their hosts are found here. */
  relays?: NamedRelay[];
}

/** A relay that another one names, and where to dial it. */
export interface NamedRelay {
  /** Peer id. */
  peer: string;
  /** Multiaddrs, eight at most. */
  addresses: string[];
}

/** How it stands with a relay that this one joined. */
export interface JoinedRelayStatus {
  /** Peer id; empty until it is known. */
  peer: string;
  /** Multiaddr, or what was given to join while that is not known. */
  address: string;
  state: RelayState;
  /** This relay was told to join it; else it joined us. */
  outbound: boolean;
  /** Why it is not connected now; null while it is. */
  reason: string | null;
}

/**
 * Multiaddr of the relay that serves a page: `https://example.org/` becomes `/dns/example.org/tcp/443/tls/ws/p2p/…`.
 * @throws TransportError `no-relay` for what is no http(s) or ws(s) URL, or no peer id
 */
export function relayAddress(url: string | URL, peer: string): string {
  const address = webSocketAddress(url);
  if (!PEER_ID.test(peer)) throw notARelay('it gave no peer id');
  return `${address}/p2p/${peer}`;
}

/**
 * Multiaddr of the WebSocket of a relay that serves a page, without the relay's peer id.
 * @throws TransportError `no-relay` for what is no http(s) or ws(s) URL
 */
export function webSocketAddress(url: string | URL): string {
  const { protocol, hostname, port } = parse(url);
  const secure = protocol === 'https:' || protocol === 'wss:';
  if (!secure && protocol !== 'http:' && protocol !== 'ws:')
    throw notARelay(`${protocol} is not served by relays`);
  return `${host(hostname)}/tcp/${port || (secure ? 443 : 80)}${secure ? '/tls/ws' : '/ws'}`;
}

function host(name: string): string {
  if (name.startsWith('[')) return `/ip6/${name.slice(1, -1)}`;
  return /^\d+\.\d+\.\d+\.\d+$/.test(name) ? `/ip4/${name}` : `/dns/${name}`;
}

function parse(url: string | URL): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw notARelay('that is no URL', error);
  }
}

function notARelay(why: string, cause?: unknown): TransportError {
  return new TransportError('no-relay', `This is not the address of a relay: ${why}.`, { cause });
}
