// Before libp2p, which wants a newer Node than ours.
import '../../src/swarm/polyfills.ts';
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import type { IdentifyResult } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

/** What a tab tells of itself by libp2p's identify to any program that is linked to it. @param address of a circuit */
export async function identified(address: string): Promise<IdentifyResult> {
  const node = await createLibp2p({
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    // The relay of a test is at an address of this machine.
    connectionGater: { denyDialMultiaddr: () => false },
  });
  try {
    const tab = multiaddr(address);
    const peer = tab.getComponents().findLast(({ name }) => name === 'p2p')!.value;
    const told = new Promise<IdentifyResult>((resolve) =>
      node.addEventListener('peer:identify', ({ detail }) => {
        if (detail.peerId.toString() === peer) resolve(detail);
      }),
    );
    await node.dial(tab);
    return await told;
  } finally {
    await node.stop();
  }
}
