import { webSockets } from '@libp2p/websockets';
import { SOCKET_BUFFER_BYTES } from './limits.ts';
import { createPeerSwarm, type PeerSwarmOptions } from './peer-swarm.ts';
import type { Swarm } from './swarm.ts';

/** A Node process that is a peer like a tab, but without WebRTC: others reach it through its relays. */
export async function createNodeSwarm(options: PeerSwarmOptions): Promise<Swarm> {
  const { kick: _, ...swarm } = await createPeerSwarm(options, {
    webrtc: false,
    transports: [webSockets({ maxBufferedAmount: SOCKET_BUFFER_BYTES })],
  });
  return swarm;
}
