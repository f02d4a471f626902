import { webSockets } from '@libp2p/websockets';
import { SOCKET_BUFFER_BYTES } from './limits.ts';
import { createPeerSwarm, type PeerSwarmOptions } from './peer-swarm.ts';
import type { Swarm } from './swarm.ts';

export interface NodeSwarmOptions extends PeerSwarmOptions {
  /** Relays may be dialled by these too, beside WebSockets; their libraries are loaded only then. */
  dial?: readonly ('tcp' | 'webrtc-direct')[];
}

/** A Node process that is a peer like a tab, but without WebRTC between peers: others reach it through its relays. */
export async function createNodeSwarm({ dial = [], ...options }: NodeSwarmOptions): Promise<Swarm> {
  const { kick: _, ...swarm } = await createPeerSwarm(options, {
    webrtc: false,
    transports: [
      webSockets({ maxBufferedAmount: SOCKET_BUFFER_BYTES }),
      ...(dial.includes('tcp') ? [(await import('@libp2p/tcp')).tcp()] : []),
      ...(dial.includes('webrtc-direct')
        ? // Without a list, the package asks public STUN servers.
          [(await import('@libp2p/webrtc')).webRTCDirect({ rtcConfiguration: { iceServers: [] } })]
        : []),
    ],
  });
  return swarm;
}
