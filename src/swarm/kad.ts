import { contentRoutingSymbol, type PeerId, peerDiscoverySymbol, peerRoutingSymbol } from '@libp2p/interface';
import {
  type KadDHT,
  type KadDHTComponents,
  kadDHT,
  MessageType,
  type PeerInfoMapper,
  type QueryEvent,
} from '@libp2p/kad-dht';
import { pathOf } from './addresses.ts';
import { KAD_PROTOCOL, RECORD_REPROVIDE_MS, RECORD_VALIDITY_MS } from './limits.ts';
import type { RecordTimes } from './swarm.ts';

/** A DHT message, as far as provider records go. */
export interface KadMessage {
  type: MessageType;
  key?: Uint8Array;
  clusterLevel?: number;
  closer: KadPeer[];
  providers: KadPeer[];
}

export interface KadPeer {
  /** Multihash of the peer id. */
  id: Uint8Array;
  multiaddrs: Uint8Array[];
}

export interface KadHandler {
  handle(peer: PeerId, message: KadMessage): Promise<KadMessage | undefined>;
}

/**
 * The parts of a running @libp2p/kad-dht 16.4.5 that its interface leaves out and that we need: the server's handlers
 * (see `provider-handlers.ts`), sending one message, and whether a server is known at all.
 */
export interface KadInternals {
  rpc: { handlers: Record<string, KadHandler> };
  network: {
    sendMessage(
      to: PeerId,
      message: Partial<KadMessage>,
      options: {
        signal: AbortSignal;
        path: { index: number; queued: number; running: number; total: number };
      },
    ): AsyncIterable<QueryEvent>;
  };
  routingTable: EventTarget & { size: number };
}

/** @throws TypeError when a later version looks different: better at the start than in a query */
export function kadInternals(dht: KadDHT): KadInternals {
  const inner = dht as KadDHT & Partial<KadInternals>;
  const handlers = inner.rpc?.handlers;
  const whole =
    handlers?.[MessageType.ADD_PROVIDER] && handlers[MessageType.GET_PROVIDERS] && inner.network?.sendMessage;
  if (!whole || typeof inner.routingTable?.size !== 'number')
    throw new TypeError('This version of @libp2p/kad-dht is built differently: see swarm/kad.ts.');
  return inner as KadInternals;
}

/**
 * Only the own relays are asked, and nobody reaches them through a circuit. Without this a tab would dial every
 * provider it hears of, also over WebRTC, to ask whether it is a server. Other relays are asked by the own ones, when
 * these joined them. Private addresses stay: the package's default would drop them, and on a LAN nothing would ever be
 * found.
 */
const serversOnly =
  (isServer: (peer: string) => boolean): PeerInfoMapper =>
  (peer) => {
    const found = isServer(peer.id.toString());
    return {
      ...peer,
      multiaddrs: found ? peer.multiaddrs.filter((address) => pathOf(address) !== 'relayed') : [],
    };
  };
/** A relay asks nobody this way. */
const nobody: PeerInfoMapper = (peer) => ({ ...peer, multiaddrs: [] });

/**
 * The DHT service: `server` for a relay, `client` for everybody else.
 * @param isOwnRelay for a client, whether a peer is a relay of its own
 */
export function kad(
  mode: 'client' | 'server',
  times: RecordTimes = {},
  isOwnRelay: (peer: string) => boolean = () => false,
) {
  const validity = times.validityMs ?? RECORD_VALIDITY_MS;
  const make = kadDHT({
    protocol: KAD_PROTOCOL,
    clientMode: mode === 'client',
    peerInfoMapper: mode === 'client' ? serversOnly(isOwnRelay) : nobody,
    // The first query waits for a walk around this node, which begins after a second by default.
    initialQuerySelfInterval: 0,
    // A host of a few slices publishes and asks for dozens of keys at once, each on a stream of its own.
    maxInboundStreams: 128,
    maxOutboundStreams: 128,
    // As old as the records may get: every interval publishes all own keys anew.
    reprovide: { validity, threshold: validity, interval: times.reprovideMs ?? RECORD_REPROVIDE_MS },
  });
  return (components: KadDHTComponents) => unlisted(make(components));
}

/**
 * Keeps the DHT from libp2p itself, which would use it on its own account: while a relay is missing it walks through
 * the DHT at random, as fast as it can (which blocks the whole thread when the routing table is empty), and dials every
 * peer that any answer names.
 */
function unlisted(dht: KadDHT): KadDHT {
  for (const symbol of [peerRoutingSymbol, contentRoutingSymbol, peerDiscoverySymbol])
    Object.defineProperty(dht, symbol, { value: undefined });
  return dht;
}
