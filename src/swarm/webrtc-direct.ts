import { setTimeout as delay } from 'node:timers/promises';
import type { CreateListenerOptions, Listener, Transport } from '@libp2p/interface';
import { webRTCDirect } from '@libp2p/webrtc';
import type { AddressLimits, Place } from './address-limits.ts';
import type { WebRtcCertificate } from './webrtc-certificate.ts';

/**
 * The parts of the listener of @libp2p/webrtc 6.0.33 that its interface leaves out: what it does for a STUN request
 * that belongs to no connection yet, the connections by `host:port:ufrag`, and what ends those that are not made yet.
 */
interface InnerListener extends Listener {
  incomingConnection(ufrag: string, host: string, port: number, signal: AbortSignal): Promise<void>;
  connections: Map<string, RTCPeerConnection>;
  shutdownController: AbortController;
}

/** Milliseconds after which connections that were closed have let go of their port; nothing tells when. */
const RELEASE_MS = 300;
/** Milliseconds between two looks at connections that close, and how long they may take. */
const LOOK_MS = 10;
const CLOSE_MS = 1_000;
const OVER: readonly RTCPeerConnectionState[] = ['closed', 'failed', 'disconnected'];
/** Streams that a peer may open before its connection is handed over; the DHT of a host publishes dozens at once. */
const MAX_EARLY_STREAMS = 64;
/** The default asks public STUN servers who we are; a relay is where it is. */
const NO_STUN = { iceServers: [] };

export interface ListeningWebRtcOptions {
  limits: AddressLimits;
  certificate: WebRtcCertificate;
  /** Told of each listener that is made. */
  listening: (listener: Listener) => void;
}

/**
 * webrtc-direct as a server, under the limits per address. The package makes a connection, with its DTLS, for each
 * STUN request with a new name, and asks nobody: one UDP packet of 60 bytes each, from any address that one likes to
 * write on it. So they have places of their own, and a flood of forged ones leaves those of the sockets alone.
 */
export function listeningWebRtc({ limits, certificate, listening }: ListeningWebRtcOptions) {
  const make = webRTCDirect({ certificate, rtcConfiguration: NO_STUN, maxEarlyStreams: MAX_EARLY_STREAMS });
  return (components: Parameters<typeof make>[0]): Transport => {
    const transport = make(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options: CreateListenerOptions) => {
      const listener = createListener(options) as InnerListener;
      const gate = guard(listener, limits);
      closeConnectionsFirst(listener, gate);
      listening(listener);
      return listener;
    };
    return transport;
  };
}

/** What comes in through a listener. */
interface Gate {
  closed: boolean;
  /** Keys of connections that are being made. */
  readonly pending: ReadonlySet<string>;
}

/** @throws TypeError when a later version looks different: better at the start than without a limit */
function guard(listener: InnerListener, limits: AddressLimits): Gate {
  const { incomingConnection, connections, shutdownController } = listener;
  if (
    typeof incomingConnection !== 'function' ||
    !(connections instanceof Map) ||
    !(shutdownController instanceof AbortController)
  )
    throw new TypeError('This version of @libp2p/webrtc is built differently: see swarm/webrtc-direct.ts.');
  const incoming = incomingConnection.bind(listener);
  /** A request is repeated every 50 ms until it is answered. */
  const pending = new Set<string>();
  const gate = { closed: false, pending };
  listener.incomingConnection = async (ufrag, host, port, signal) => {
    const key = `${host}:${port}:${ufrag}`;
    if (gate.closed || pending.has(key) || connections.has(key)) return;
    const place = limits.enter(host, 'datagram');
    // No answer: the sender may be somebody else's victim.
    if (!place) return;
    pending.add(key);
    try {
      await incoming(ufrag, host, port, signal);
      place.upgraded();
      leaveWith(connections.get(key), place);
    } catch (error) {
      place.leave();
      throw error;
    } finally {
      pending.delete(key);
    }
  };
  return gate;
}

/**
 * The package closes its listener before its connections. In a flood of STUN requests none of six processes got through
 * four such stops: they crashed or never ended. This way round two of 60 stops crashed: libdatachannel frees a listener
 * that a request may just be calling, which cannot be kept from here. Without a flood none did.
 */
function closeConnectionsFirst(listener: InnerListener, gate: Gate): void {
  const close = listener.close.bind(listener);
  listener.close = async () => {
    gate.closed = true;
    listener.shutdownController.abort();
    const end = performance.now() + CLOSE_MS;
    while (listener.connections.size + gate.pending.size > 0 && performance.now() < end) {
      for (const connection of listener.connections.values()) connection.close();
      await delay(LOOK_MS);
    }
    await delay(RELEASE_MS);
    await close();
  };
}

function leaveWith(connection: RTCPeerConnection | undefined, place: Place): void {
  const look = () => {
    if (!connection || OVER.includes(connection.connectionState)) place.leave();
  };
  connection?.addEventListener('connectionstatechange', look);
  look();
}
