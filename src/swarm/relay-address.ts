import { TransportError } from './types.ts';

/** A peer id as text: base58, `12D3Koo…` or `Qm…`. */
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{32,64}$/;

/** What a relay says about itself, for the page that asks its HTTP server. */
export interface Bootstrap {
  /** Peer id. */
  peer: string;
  /** Path of the WebSocket; `/` works as well, which is what libp2p dials. */
  path: string;
}

/**
 * Multiaddr of the relay that serves a page: `https://example.org/` becomes `/dns/example.org/tcp/443/tls/ws/p2p/…`.
 * @throws TransportError `no-relay` for what is no http(s) or ws(s) URL, or no peer id
 */
export function relayAddress(url: string | URL, peer: string): string {
  const { protocol, hostname, port } = parse(url);
  const secure = protocol === 'https:' || protocol === 'wss:';
  if (!secure && protocol !== 'http:' && protocol !== 'ws:')
    throw notARelay(`${protocol} is not served by relays`);
  if (!PEER_ID.test(peer)) throw notARelay('it gave no peer id');
  return `${host(hostname)}/tcp/${port || (secure ? 443 : 80)}${secure ? '/tls/ws' : '/ws'}/p2p/${peer}`;
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
