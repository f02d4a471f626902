import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify, identifyPush } from '@libp2p/identify';
import type { Libp2p, PeerId } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { pathOf } from './addresses.ts';
import { AGENT } from './agent.ts';
import { systemClock } from './clock.ts';
import { Connector } from './connector.ts';
import { connectionGater, outerOr, Refused } from './gater.ts';
import { kad } from './kad.ts';
import { KadDirectory } from './kad-directory.ts';
import { MAX_LINKS, MONITOR, PING_STREAMS } from './limits.ts';
import { NamedRelays, waysOf } from './named-relays.ts';
import { RelayLoop } from './relay-loop.ts';
import { Reservations } from './reservations.ts';
import type { RecordTimes, RelaySource, Swarm, SwarmStatus } from './swarm.ts';
import { PeerTransport } from './transport.ts';
import { TransportError } from './types.ts';
import { until } from './until.ts';

export interface PeerSwarmOptions {
  /** Relays to be reached through; all of them are kept connected. */
  relays: readonly RelaySource[];
  records?: RecordTimes;
  /** 32 bytes that the identity is made of; a fresh one by default. */
  seed?: Uint8Array;
}

/** What differs between a tab and Node. */
export interface PeerPlatform {
  transports: NonNullable<Libp2pOptions['transports']>;
  webrtc: boolean;
}

interface Services extends Record<string, unknown> {
  dht: KadDHT;
  ping: Ping;
}

export interface PeerSwarm extends Swarm {
  /** Dials the relays now instead of waiting. */
  kick(): void;
}

/**
 * A peer that others reach through its relays: a tab, or a plain Node process. It is there at once and connects by
 * itself; `ready` tells when others can reach it.
 */
export async function createPeerSwarm(options: PeerSwarmOptions, platform: PeerPlatform): Promise<PeerSwarm> {
  const refused = new Refused(() => systemClock.now());
  const loops: RelayLoop[] = [];
  const relayPeers = () => new Set(loops.map(({ peer }) => peer));
  const reservations = new Reservations();
  const named = new NamedRelays(systemClock, () =>
    node.getConnections().filter((connection) => {
      const usable = connection.status === 'open' && connection.limits === undefined;
      return usable && relayPeers().has(connection.remotePeer.toString());
    }),
  );
  const node: Libp2p<Services> = await createLibp2p<Services>({
    privateKey: options.seed
      ? await generateKeyPairFromSeed('Ed25519', options.seed)
      : await generateKeyPair('Ed25519'),
    addresses: {
      // One search for each relay: a configured `<relay>/p2p-circuit` is not listened on again after a restart.
      listen: [...options.relays.map(() => '/p2p-circuit'), ...(platform.webrtc ? ['/webrtc'] : [])],
    },
    transports: [
      ...platform.transports,
      reservations.transport({ discoveryFilter: onlyRelays(relayPeers), reservationConcurrency: 4 }),
    ],
    nodeInfo: { userAgent: AGENT },
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: connectionGater({
      refused,
      relayPeers,
      mayDial: outerOr(() => new Set([...loops.flatMap(({ host }) => host ?? []), ...named.hosts()])),
    }),
    connectionManager: {
      // A direct connection and the circuit it was arranged over, for each link, and the relays.
      maxConnections: 2 * MAX_LINKS + 16,
      // Every connection of a tab comes from its relay's address, or has none.
      inboundConnectionThreshold: 100,
      maxIncomingPendingConnections: 64,
    },
    // A backstop for connections without frames, such as the relay's: links have their own pulse, which is faster and
    // does not open a stream each time.
    connectionMonitor: MONITOR,
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(PING_STREAMS),
      dht: kad('client', options.records, (peer) => relayPeers().has(peer)),
    },
  });

  const own = () => node.getMultiaddrs();
  /** Direct addresses first, so that who dials in order takes them first. */
  const addresses = () =>
    own()
      .filter((address) => pathOf(address) === 'direct' || pathOf(address) === 'relayed')
      .sort((a, b) => Number(pathOf(b) === 'direct') - Number(pathOf(a) === 'direct'))
      .map(String);
  const reserved = (relay: string) =>
    reservations.at(node, relay) === 'good' &&
    own().some((address) => {
      const usable = pathOf(address) === (platform.webrtc ? 'direct' : 'relayed');
      return usable && address.toString().includes(`/p2p/${relay}/p2p-circuit`);
    });
  const connected = () => loops.filter((loop) => loop.status().state === 'connected');

  const transport = await PeerTransport.on(node, {
    clock: systemClock,
    connector: new Connector(node, {
      webrtc: platform.webrtc,
      ways: (peer, addrs) => {
        const relays = connected().map(({ address }) => String(address));
        return waysOf(peer, addrs, relays, named);
      },
    }),
    refused,
    maxLinks: MAX_LINKS,
    addresses,
  });

  const listeners = new Set<(status: SwarmStatus) => void>();
  const over = new AbortController();
  const status = (): SwarmStatus => {
    const relays = loops.map((loop) => loop.status());
    const states = relays.map(({ state }) => state);
    const relay = (['connected', 'connecting'] as const).find((state) => states.includes(state)) ?? 'gone';
    return { relay: over.signal.aborted ? 'gone' : relay, relays, addresses: addresses() };
  };
  const changed = () => {
    for (const listener of [...listeners]) listener(status());
  };
  const reachable = async (signal: AbortSignal) => {
    while (connected().length === 0) {
      await until(
        new Promise<void>((resolve) => {
          const once = () => {
            listeners.delete(once);
            resolve();
          };
          listeners.add(once);
        }),
        signal,
        over.signal,
      );
    }
  };
  const directory = new KadDirectory(node, node.services.dht, {
    reachable,
    servers: () => connected().map(({ peer }) => peer),
  });

  for (const source of options.relays) {
    const loop: RelayLoop = new RelayLoop(node, {
      source,
      reserved,
      refresh: async (relay) => {
        if (reservations.at(node, relay) === 'stale') await reservations.renew(relay);
      },
      changed: () => {
        changed();
        // A relay that was away has forgotten every record.
        if (loop.status().state === 'connected') void directory.republish();
      },
    });
    loops.push(loop);
    loop.start();
  }

  const ready = reachable(over.signal);
  // Somebody who never asks must not be told by a crash.
  ready.catch(() => {});

  let closing: Promise<void> | null = null;
  const stop = async (reason: string) => {
    transport.goodbye();
    over.abort(new TransportError('closed', `The network is closed: ${reason}.`));
    for (const loop of loops) loop.stop();
    directory.close();
    transport.close(reason);
    await node.stop();
    changed();
    listeners.clear();
  };
  return {
    transport,
    directory,
    clock: systemClock,
    peer: transport.self,
    ready,
    status,
    subscribe(listener) {
      const own = (now: SwarmStatus) => listener(now);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    kick() {
      for (const loop of loops) loop.kick();
    },
    close(reason) {
      closing ??= stop(reason).catch((error: unknown) =>
        console.error('Stopping the network failed:', error),
      );
      return closing;
    },
  };
}

/** Nobody becomes our relay but who was chosen as one: to the search, everybody else is known and done with. */
function onlyRelays(relays: () => ReadonlySet<string>) {
  const seen = new Set<string>();
  return {
    has: (peer: PeerId) => !relays().has(peer.toString()) || seen.has(peer.toString()),
    add: (peer: PeerId) => void seen.add(peer.toString()),
    remove: (peer: PeerId) => void seen.delete(peer.toString()),
  };
}
