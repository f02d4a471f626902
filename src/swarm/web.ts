/** A browser tab in the network. */
import { webRTC, webRTCDirect } from '@libp2p/webrtc';
import { webSockets } from '@libp2p/websockets';
import { mendInitChannel } from './init-channel.ts';
import { DATA_CHANNEL_MESSAGE_BYTES, SOCKET_BUFFER_BYTES } from './limits.ts';
import { createPeerSwarm, type PeerSwarmOptions } from './peer-swarm.ts';
import type { Swarm } from './swarm.ts';

export interface TabSwarmOptions extends PeerSwarmOptions {
  /**
   * STUN and TURN servers, for tabs behind different routers; none by default, because a STUN server learns this
   * machine's address.
   */
  iceServers?: readonly RTCIceServer[];
}

/** Takes part in the network until it is closed or the page goes away. */
export async function createTabSwarm(options: TabSwarmOptions): Promise<Swarm> {
  mendInitChannel();
  const swarm = await createPeerSwarm(options, {
    webrtc: true,
    transports: [
      webSockets({ maxBufferedAmount: SOCKET_BUFFER_BYTES }),
      webRTC({
        rtcConfiguration: { iceServers: [...(options.iceServers ?? [])] },
        dataChannel: { maxMessageSize: DATA_CHANNEL_MESSAGE_BYTES },
      }),
      // To a relay that has no domain and no certificate, from an https page. Messages stay at 16 KiB, the standard's:
      // the relay may be a native one.
      webRTCDirect({ rtcConfiguration: { iceServers: [] } }),
    ],
  });
  const page = new AbortController();
  const { kick, ...tab } = swarm;
  const close = (reason: string) => {
    page.abort();
    return swarm.close(reason);
  };
  // Closing begins with a goodbye to every linked peer, which arrives in 3 ms; without it they need most of a second
  // to be sure.
  addEventListener('pagehide', () => void close('the page was closed'), { signal: page.signal });
  addEventListener('online', kick, { signal: page.signal });
  return { ...tab, close };
}
