import type { Server } from 'node:http';
import { join } from 'node:path';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { identify, identifyPush } from '@libp2p/identify';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { ATTACHED_ADDRESS, attachedWebSockets } from './attached-web-sockets.ts';
import { systemClock } from './clock.ts';
import { Connector } from './connector.ts';
import { connectionGater, Refused } from './gater.ts';
import { identityFrom } from './identity.ts';
import { kad, kadInternals } from './kad.ts';
import { MAX_RELAY_LINKS, MONITOR } from './limits.ts';
import { replaceProviderHandlers } from './provider-handlers.ts';
import { ProviderRecords } from './provider-records.ts';
import type { Bootstrap } from './relay-address.ts';
import { RelayDirectory } from './relay-directory.ts';
import type { RecordTimes, Swarm, SwarmStatus } from './swarm.ts';
import { PeerTransport } from './transport.ts';
import type { Clock } from './types.ts';

/** What one relay takes. A client costs 150 KB of memory and 23–32 ms of its processor to join. */
export interface RelayLimits {
  /** Connections, and so reservations, in all: 2,000 clients take 300 MB. */
  connections: number;
  /** From one address, loopback excepted: a school behind one router. */
  connectionsPerAddress: number;
  /** New ones per second from one address. libp2p's default of 5 is too few for a page that is reloaded in a class. */
  connectionsPerSecond: number;
  /** Connections that are still being encrypted; the default is 10. */
  pending: number;
  /**
   * Bytes and milliseconds of one relayed connection. There must be limits, however large: without any, a dial by peer
   * id is content with the relayed connection and never makes a direct one. The defaults (128 KiB, 2 minutes) end a
   * fallback link in the middle of a prompt.
   */
  relayedBytes: bigint;
  relayedMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  connections: 2_000,
  connectionsPerAddress: 256,
  connectionsPerSecond: 50,
  pending: 200,
  relayedBytes: 1n << 30n,
  relayedMs: 12 * 3_600_000,
};

export interface RelaySwarmOptions {
  /** The server that serves the page; its WebSockets to `/` and `/p2p` come here. */
  attachTo: Server;
  /** Folder that keeps the identity; without it and `privateKey` the identity is new at every start. */
  dataFolder?: string;
  privateKey?: PrivateKey;
  /** Multiaddrs under which the relay is reached, for peers that did not dial it themselves. */
  advertise?: readonly string[];
  records?: RecordTimes;
  /** Time for the age of records; the system's by default. */
  clock?: Clock;
  limits?: Partial<RelayLimits>;
}

export interface RelayCounts {
  /** Peers that are connected. */
  peers: number;
  reservations: number;
  records: number;
}

export interface RelaySwarm extends Swarm {
  /** What the page must know to join. */
  bootstrap(): Bootstrap;
  counts(): RelayCounts;
}

interface Services extends Record<string, unknown> {
  dht: KadDHT;
  ping: Ping;
  relay: ReturnType<ReturnType<typeof circuitRelayServer>>;
}

/**
 * The relay's node: signalling and fallback path for tabs, the DHT's server, and a peer that can lend slices itself.
 * @throws TransportError `bad-identity`
 */
export async function createRelaySwarm(options: RelaySwarmOptions): Promise<RelaySwarm> {
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const advertise = [...(options.advertise ?? [])];
  const refused = new Refused(() => systemClock.now());
  const node: Libp2p<Services> = await createLibp2p<Services>({
    privateKey:
      options.privateKey ??
      (options.dataFolder
        ? await identityFrom(join(options.dataFolder, 'relay.key'))
        : await generateKeyPair('Ed25519')),
    addresses: { listen: [ATTACHED_ADDRESS], announce: advertise },
    transports: [
      attachedWebSockets({
        server: options.attachTo,
        sockets: limits.connections,
        socketsPerAddress: limits.connectionsPerAddress,
      }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: connectionGater({
      refused,
      relayHosts: () => new Set(),
      relayPeers: () => new Set(),
      dials: 'never',
    }),
    connectionManager: {
      maxConnections: limits.connections,
      inboundConnectionThreshold: limits.connectionsPerSecond,
      maxIncomingPendingConnections: limits.pending,
    },
    // A frozen tab's records are gone after 10 to 15 s; a closed one's at once.
    connectionMonitor: MONITOR,
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: kad('server', options.records),
      relay: circuitRelayServer({
        // Every dial between two tabs passes here once.
        maxInboundHopStreams: limits.connections,
        maxOutboundStopStreams: limits.connections,
        reservations: {
          maxReservations: limits.connections,
          defaultDataLimit: limits.relayedBytes,
          defaultDurationLimit: limits.relayedMs,
        },
      }),
    },
  });

  const peer = node.peerId.toString();
  const records = new ProviderRecords({
    now: () => (options.clock ?? systemClock).now(),
    validityMs: options.records?.validityMs,
  });
  replaceProviderHandlers(kadInternals(node.services.dht), records);
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
  const addresses = () => advertise.map((address) => `${address}/p2p/${peer}`);
  const transport = await PeerTransport.on(node, {
    clock: systemClock,
    connector: new Connector(node, { webrtc: false, dials: false, relays: () => [] }),
    refused,
    maxLinks: MAX_RELAY_LINKS,
    addresses,
  });

  let open = true;
  const listeners = new Set<(status: SwarmStatus) => void>();
  const status = (): SwarmStatus => ({
    relay: open ? 'connected' : 'gone',
    relays: [],
    addresses: addresses(),
  });
  let closing: Promise<void> | null = null;
  const stop = async (reason: string) => {
    open = false;
    transport.goodbye();
    transport.close(reason);
    await node.stop();
    for (const listener of [...listeners]) listener(status());
    listeners.clear();
  };
  return {
    transport,
    directory: new RelayDirectory(peer, records, addresses),
    clock: systemClock,
    peer,
    ready: Promise.resolve(),
    status,
    subscribe(listener) {
      const own = (now: SwarmStatus) => listener(now);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    bootstrap: () => ({ peer, path: '/p2p' }),
    counts: () => ({
      peers: node.getPeers().length,
      reservations: node.services.relay.reservations.size,
      records: records.size,
    }),
    close(reason) {
      closing ??= stop(reason).catch((error: unknown) => console.error('Stopping the relay failed:', error));
      return closing;
    },
  };
}
