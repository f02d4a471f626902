import type { IncomingMessage, Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { identify, identifyPush } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, Listener, PrivateKey } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { yamux } from '@libp2p/yamux';
import type { LevelDatastore } from 'datastore-level';
import { createLibp2p } from 'libp2p';
import type { AddressLimits } from './address-limits.ts';
import { ATTACHED_ADDRESS, attachedWebSockets } from './attached-web-sockets.ts';
import { type AutoTlsOptions, autoTlsServices } from './auto-tls.ts';
import { kad } from './kad.ts';
import { MONITOR, PING_STREAMS } from './limits.ts';
import { joiningTransports } from './outbound-only.ts';
import type { RelayLimits } from './relay-limits.ts';
import { countRelayed } from './relayed-bytes.ts';
import type { RecordTimes } from './swarm.ts';
import { countedTcp } from './tcp.ts';
import { TransportError } from './types.ts';
import type { WebRtcCertificate } from './webrtc-certificate.ts';
import { listeningWebRtc } from './webrtc-direct.ts';

/** Ports beside the HTTP server's: 0 for any free one, null or absent for none. */
export interface RelayPorts {
  /** Native peers and other relays. */
  tcp?: number | null;
  /** UDP, for tabs of an https page that know no other way than the relay's multiaddr. */
  webrtc?: number | null;
  /** IP address to listen on; `0.0.0.0` by default, `::` for both families. */
  host?: string;
}

export interface RelayNodeOptions {
  attachTo: Server;
  addressOf?: (request: IncomingMessage) => string;
  privateKey: PrivateKey;
  listen: RelayPorts;
  certificate: WebRtcCertificate | null;
  announce: readonly string[];
  limits: RelayLimits;
  addresses: AddressLimits;
  gater: ConnectionGater;
  datastore: LevelDatastore | null;
  records?: RecordTimes;
  relayed: (bytes: number) => void;
  autoTls?: AutoTlsOptions;
}

export interface RelayServices extends Record<string, unknown> {
  dht: KadDHT;
  ping: Ping;
  relay: ReturnType<ReturnType<typeof circuitRelayServer>>;
}

/**
 * The libp2p node of a relay.
 * @returns it, and the listeners that know where it is reached beside the HTTP server
 * @throws TransportError `listen-failed`
 */
export async function createRelayNode(
  options: RelayNodeOptions,
): Promise<{ node: Libp2p<RelayServices>; listeners: Listener[] }> {
  const { limits, addresses, certificate } = options;
  const listeners: Listener[] = [];
  const listening = (listener: Listener) => void listeners.push(listener);
  const extra = options.autoTls ? await autoTlsServices(options.autoTls) : {};
  const ports = listenAddresses(options.listen);
  try {
    const node = await createLibp2p<RelayServices>({
      privateKey: options.privateKey,
      ...(options.datastore ? { datastore: options.datastore } : {}),
      addresses: {
        listen: [ATTACHED_ADDRESS, ...ports],
        announce: [...options.announce],
        // What others are told: where the operator says that this relay is. The addresses of its network cards would
        // end up in the addresses of every tab, and push out those that work.
        announceFilter: (all) => (options.announce.length > 0 ? all : []),
      },
      transports: [
        attachedWebSockets({
          server: options.attachTo,
          limits: addresses,
          ...(options.addressOf ? { addressOf: options.addressOf } : {}),
        }),
        ...(isPort(options.listen.tcp)
          ? [countedTcp({ limits: addresses, connections: limits.connections, listening })]
          : []),
        ...(certificate ? [listeningWebRtc({ limits: addresses, certificate, listening })] : []),
        ...joiningTransports(isPort(options.listen.tcp)),
      ],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: options.gater,
      connectionManager: {
        maxConnections: limits.connections,
        // `AddressLimits` counts both, for each address and before anything is spent.
        inboundConnectionThreshold: Number.POSITIVE_INFINITY,
        maxIncomingPendingConnections: Number.POSITIVE_INFINITY,
      },
      // A frozen tab's records are gone after 10 to 15 s; a closed one's at once.
      connectionMonitor: MONITOR,
      services: {
        identify: identify(),
        identifyPush: identifyPush(),
        ping: ping(PING_STREAMS),
        dht: kad('server', options.records),
        relay: (components: Parameters<ReturnType<typeof circuitRelayServer>>[0]) =>
          countRelayed(relayServer(limits)(components), options.relayed),
        ...extra,
      },
    });
    const { autoTls } = options;
    if (autoTls)
      for (const event of ['certificate:provision', 'certificate:renew'] as const)
        node.addEventListener(event, ({ detail: { key, cert } }) => autoTls.onCertificate({ key, cert }));
    return { node, listeners };
  } catch (error) {
    if (ports.length === 0) throw error;
    const message = `The relay cannot listen on ${ports.join(' and ')}. Another program may have the port: choose another one, or none.`;
    throw new TransportError('listen-failed', message, { cause: error });
  }
}

function relayServer(limits: RelayLimits) {
  return circuitRelayServer({
    // Every dial between two tabs passes here once.
    maxInboundHopStreams: limits.connections,
    maxOutboundStopStreams: limits.connections,
    reservations: {
      maxReservations: limits.connections,
      defaultDataLimit: limits.relayedBytes,
      defaultDurationLimit: limits.relayedMs,
    },
  });
}

function listenAddresses({ tcp, webrtc, host = '0.0.0.0' }: RelayPorts): string[] {
  // A name that stands for this machine; any other one is no address to listen on.
  const ip = host === 'localhost' ? '127.0.0.1' : host;
  const hosts = host === '::' ? ['/ip4/0.0.0.0', '/ip6/::'] : [`/${isIPv6(ip) ? 'ip6' : 'ip4'}/${ip}`];
  return hosts.flatMap((at) => [
    ...(isPort(tcp) ? [`${at}/tcp/${tcp}`] : []),
    ...(isPort(webrtc) ? [`${at}/udp/${webrtc}/webrtc-direct`] : []),
  ]);
}

export function isPort(port: number | null | undefined): port is number {
  return typeof port === 'number';
}
