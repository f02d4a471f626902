import { webSocketAddress } from '../src/swarm/index.ts';
import type { RelaySwarmOptions } from '../src/swarm/node.ts';
import type { RelayConfig } from './config/types.ts';
import type { Guard } from './guard/guard.ts';
import type { RelayServer } from './server.ts';
import type { Tls } from './tls/open.ts';
import type { Log, Meters } from './watch/types.ts';

interface Rooms {
  server: RelayServer;
  guard: Guard;
  tls: Tls | null;
  meters: Meters;
  log: Log;
}

/** The configuration as the swarm takes it. */
export function swarmOptions(
  { data, host, url, network, tls: wanted }: RelayConfig,
  { server, guard, tls, meters, log }: Rooms,
): RelaySwarmOptions {
  const push = tls?.push;
  return {
    attachTo: server.http,
    // With a certificate of the operator's own, this port speaks TLS alone, and `url` says where.
    plainPort: tls?.source.plainHttp === 'redirect' ? null : server.port,
    dataFolder: data,
    datastore: true,
    listen: { tcp: network.tcpPort, webrtc: network.webrtcPort, host },
    // Where the page is reached, the relay is: another relay's tabs dial it there.
    advertise: [...(url ? [webSocketAddress(url)] : []), ...network.announce],
    join: network.join,
    addressOf: guard.addressOf,
    limits: {
      connections: network.peers,
      connectionsPerAddress: network.peersPerAddress,
      connectionsPerSecond: network.joinsPerSecond,
      relayedBytes: BigInt(network.relayedBytes),
      relayedMs: network.relayedSeconds * 1000,
    },
    refused: (reason) => meters.count('shoal_refused_total', { reason: `peers-${reason}` }),
    warn: (message) => log.warn(message),
    ...(wanted.auto && push ? { autoTls: { onCertificate: (pair) => void push(pair) } } : {}),
  };
}
