import type { IncomingMessage, Server } from 'node:http';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Listener, PrivateKey } from '@libp2p/interface';
import { AddressLimits } from './address-limits.ts';
import { pathOf } from './addresses.ts';
import type { AutoTlsOptions } from './auto-tls.ts';
import { systemClock } from './clock.ts';
import { Connector } from './connector.ts';
import { Federation } from './federation.ts';
import { connectionGater, Refused } from './gater.ts';
import { identityFrom } from './identity.ts';
import { kadInternals } from './kad.ts';
import { MAX_RELAY_LINKS } from './limits.ts';
import { replaceProviderHandlers } from './provider-handlers.ts';
import { ProviderRecords } from './provider-records.ts';
import type { Bootstrap, JoinedRelayStatus } from './relay-address.ts';
import { RelayDirectory } from './relay-directory.ts';
import {
  CLOSE_MS,
  COME_BACK_MS,
  RELAY_LIMITS,
  type RefusalReason,
  type RelayLimits,
  STOP_NODE_MS,
} from './relay-limits.ts';
import { createRelayNode, isPort, type RelayPorts } from './relay-node.ts';
import { openStoredRecords } from './stored-records.ts';
import type { RecordTimes, Swarm, SwarmStatus } from './swarm.ts';
import { PeerTransport } from './transport.ts';
import type { Clock, LinkPath } from './types.ts';
import { until } from './until.ts';
import { newWebRtcCertificate, webRtcCertificateFrom } from './webrtc-certificate.ts';

export { RELAY_LIMITS, type RefusalReason, type RelayLimits } from './relay-limits.ts';

export interface RelaySwarmOptions {
  /** The server that serves the page; its WebSockets to `/` and `/p2p` come here. */
  attachTo: Server;
  /** Folder that keeps the identity and webrtc-direct's certificate; without it both are new at every start. */
  dataFolder?: string;
  /** Keeps peers and provider records in `<dataFolder>/datastore` too, which one process can use at a time. */
  datastore?: boolean;
  privateKey?: PrivateKey;
  /** Port on which others reach that server without TLS, where it does not listen itself; null for none. */
  plainPort?: number | null;
  /** Further ports; none by default. */
  listen?: RelayPorts;
  /** Multiaddrs under which the relay is reached, for peers that did not dial it themselves. */
  advertise?: readonly string[];
  /** Other relays to be connected with: multiaddrs with a peer id, or http(s) URLs. */
  join?: readonly string[];
  /**
   * IP address of who asks for a WebSocket, for the limits per address; the socket's by default. Behind a trusted proxy
   * it is what that says. An IPv6 one may be told as its /64.
   */
  addressOf?: (request: IncomingMessage) => string;
  autoTls?: AutoTlsOptions;
  records?: RecordTimes;
  /** Time for the age of records and the limits per second; the system's by default. */
  clock?: Clock;
  limits?: Partial<RelayLimits>;
  /** A connection was not taken. */
  refused?: (reason: RefusalReason) => void;
  /** What the operator should know, in a sentence; the console by default. */
  warn?: (message: string) => void;
}

export interface RelayCounts {
  /** Peers that are connected. */
  peers: number;
  reservations: number;
  records: number;
  /** Bytes that passed between two peers through this relay since it started. */
  relayedBytes: number;
  /** Connections by how they came. */
  connections: Record<RelayTransport, number>;
  /** Connections that are not encrypted yet. */
  pending: number;
  /** Other relays that this one is connected with. */
  joined: number;
}

export type RelayTransport = 'websocket' | 'tcp' | 'webrtc-direct';

/** A peer that is connected, whether or not it exchanges frames with this relay. */
export interface ConnectedPeer {
  peer: string;
  path: LinkPath;
  /** Milliseconds there and back, by the watch over connections; null before it measured. */
  roundTripMs: number | null;
}

export interface RelaySwarm extends Swarm {
  /** What the page must know to join. */
  bootstrap(): Bootstrap;
  counts(): RelayCounts;
  /** Each peer once. */
  connected(): ConnectedPeer[];
  /** The relays that this one was told to join, and those that joined it. */
  joined(): JoinedRelayStatus[];
}

/**
 * The relay's node: signalling and fallback path for tabs, the DHT's server, and a peer that can lend slices itself.
 * @throws TransportError `bad-identity`, `data-in-use`, `listen-failed`
 */
export async function createRelaySwarm(options: RelaySwarmOptions): Promise<RelaySwarm> {
  const undo: (() => Promise<unknown> | undefined)[] = [];
  try {
    return await startRelaySwarm(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await Promise.resolve(step()).catch(() => {});
    throw error;
  }
}

/** @param undo takes what must be closed when a later step fails */
async function startRelaySwarm(
  options: RelaySwarmOptions,
  undo: (() => Promise<unknown> | undefined)[],
): Promise<RelaySwarm> {
  const warn = options.warn ?? ((message: string) => console.warn(message));
  const clock = options.clock ?? systemClock;
  const records = new ProviderRecords({
    now: () => clock.now(),
    validityMs: options.records?.validityMs,
  });
  const { dataFolder } = options;
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const refused = new Refused(() => systemClock.now());
  const disk =
    dataFolder && options.datastore
      ? await openStoredRecords(join(dataFolder, 'datastore'), { records, warn })
      : null;
  undo.push(() => disk?.store.close());
  const inDataFolder = (name: string) => (dataFolder ? join(dataFolder, name) : null);
  const keyFile = inDataFolder('relay.key');
  const certificateFile = inDataFolder('webrtc.pem');
  const privateKey =
    options.privateKey ?? (keyFile ? await identityFrom(keyFile) : await generateKeyPair('Ed25519'));
  const certificate = !isPort(options.listen?.webrtc)
    ? null
    : certificateFile
      ? await webRtcCertificateFrom(certificateFile, warn)
      : newWebRtcCertificate();
  const announce = (options.advertise ?? []).map((address) =>
    // A port that is forwarded has the certificate that is here.
    certificate && /\/webrtc-direct$/.test(address) ? `${address}/certhash/${certificate.certhash}` : address,
  );
  const addressLimits = new AddressLimits({
    limits,
    now: () => clock.now(),
    ...(options.refused ? { refused: options.refused } : {}),
  });
  let relayedBytes = 0;
  let federation: Federation | null = null;
  const { node, listeners } = await createRelayNode({
    attachTo: options.attachTo,
    privateKey,
    listen: options.listen ?? {},
    certificate,
    announce,
    limits,
    addresses: addressLimits,
    gater: connectionGater({
      refused,
      relayPeers: () => new Set(),
      // Only joined relays, and what is reached through them.
      mayDial: (address) => federation?.mayDial(address) ?? false,
    }),
    datastore: disk?.store ?? null,
    relayed: (bytes) => {
      relayedBytes += bytes;
    },
    ...(options.addressOf ? { addressOf: options.addressOf } : {}),
    ...(options.records ? { records: options.records } : {}),
    ...(options.autoTls ? { autoTls: options.autoTls } : {}),
  });

  undo.push(async () => node.stop());
  const peer = node.peerId.toString();
  node.addEventListener('peer:disconnect', ({ detail }) => {
    records.removePeer(detail.toString());
    // The server would keep a gone tab's reservation, and its place, for two hours; and its timer would then end the
    // reservation of a peer that came back under the same identity.
    const { reservations } = node.services.relay;
    reservations.get(detail)?.signal.clear();
    reservations.delete(detail);
    // Addresses of who is gone are of no use, and would pile up for months.
    void node.peerStore.delete(detail).catch(() => {});
  });
  const addresses = () => reachedAt(announce, listeners).map((address) => `${address}/p2p/${peer}`);
  const joined = new Federation(node, {
    clock: systemClock,
    join: options.join ?? [],
    addresses,
    port: () => options.plainPort ?? plainPort(options.attachTo),
    own: (key) => records.get(key),
  });
  federation = joined;
  const elsewhere = (key: string) => joined.providers(key);
  replaceProviderHandlers(kadInternals(node.services.dht), records, elsewhere);
  const transport = await PeerTransport.on(node, {
    clock: systemClock,
    connector: new Connector(node, { webrtc: false, ways: (to, addrs) => joined.ways(to, addrs) }),
    refused,
    maxLinks: MAX_RELAY_LINKS,
    addresses,
  });

  // The relay cannot know which of the peers that it remembers still live.
  const remembered = disk ? [...(await node.peerStore.all()).map(({ id }) => id)] : [];
  const stopWaiting = clock.after(COME_BACK_MS, () => {
    const here = new Set(node.getPeers().map(String));
    for (const id of remembered)
      if (!here.has(id.toString()) && !id.equals(node.peerId)) void node.peerStore.delete(id).catch(() => {});
    for (const one of records.peers()) if (!here.has(one) && one !== peer) records.removePeer(one);
  });

  await joined.start();
  let open = true;
  const subscribers = new Set<(status: SwarmStatus) => void>();
  const status = (): SwarmStatus => ({
    relay: open ? 'connected' : 'gone',
    relays: [],
    addresses: addresses(),
  });
  let closing: Promise<void> | null = null;
  const stop = async (reason: string) => {
    const deadline = AbortSignal.timeout(CLOSE_MS);
    open = false;
    stopWaiting();
    joined.close();
    transport.goodbye();
    transport.close(reason);
    // Before the peers go: their records shall be there when the relay is back.
    await until(Promise.resolve(disk?.stored.close()), AbortSignal.timeout(CLOSE_MS - STOP_NODE_MS)).catch(
      note,
    );
    await until(Promise.resolve(node.stop()), AbortSignal.timeout(STOP_NODE_MS), deadline).catch(note);
    await until(Promise.resolve(disk?.store.close()), deadline).catch(note);
    for (const subscriber of [...subscribers]) subscriber(status());
    subscribers.clear();
  };
  const note = (error: unknown) => warn(`A part of the relay did not stop in order: ${String(error)}`);
  return {
    transport,
    directory: new RelayDirectory(peer, records, addresses, elsewhere),
    clock: systemClock,
    peer,
    ready: Promise.resolve(),
    status,
    subscribe(listener) {
      const own = (now: SwarmStatus) => listener(now);
      subscribers.add(own);
      return () => subscribers.delete(own);
    },
    bootstrap: () => ({ peer, path: '/p2p', relays: joined.named() }),
    joined: () => joined.status(),
    counts: () => ({
      peers: node.getPeers().length,
      reservations: node.services.relay.reservations.size,
      records: records.size,
      relayedBytes,
      connections: byTransport(node.getConnections()),
      pending: addressLimits.pending,
      joined: joined.status().filter(({ state }) => state === 'connected').length,
    }),
    connected: () => connectedPeers(node.getConnections()),
    close(reason) {
      closing ??= stop(reason).catch(note);
      return closing;
    },
  };
}

/** What the operator announces, and where the node listens; each once, without a peer id. */
function reachedAt(announce: readonly string[], listeners: readonly Listener[]): string[] {
  const own = listeners.flatMap((listener) => listener.getAddrs().map(String));
  return [...new Set([...announce, ...own])];
}

/** A peer may have two connections while one replaces the other: the one that was measured is told of. */
function connectedPeers(connections: readonly Connection[]): ConnectedPeer[] {
  const peers = new Map<string, ConnectedPeer>();
  for (const { remotePeer, remoteAddr, rtt = null } of connections) {
    const peer = remotePeer.toString();
    if (peers.has(peer) && rtt === null) continue;
    peers.set(peer, { peer, path: pathOf(remoteAddr), roundTripMs: rtt });
  }
  return [...peers.values()];
}

function byTransport(connections: readonly Connection[]): Record<RelayTransport, number> {
  const counts = { websocket: 0, tcp: 0, 'webrtc-direct': 0 };
  for (const { remoteAddr } of connections) {
    const names = remoteAddr.getComponents().map(({ name }) => name);
    if (names.includes('webrtc-direct')) counts['webrtc-direct']++;
    else counts[names.includes('ws') || names.includes('wss') ? 'websocket' : 'tcp']++;
  }
  return counts;
}

/** Port of the WebSockets without TLS; null when there is none. */
function plainPort(server: Server): number | null {
  const address = server.address();
  const encrypted = 'setSecureContext' in server;
  return !encrypted && typeof address === 'object' && address ? address.port : null;
}
