import { type Greeted, greetAll as greetPeers } from '../../host/index.ts';
import type { PeerAddress, Swarm } from '../../swarm/index.ts';

export type { Greeted };

/** What a hello of ours says besides what we ask. */
export const AGENT = 'shoal/0.1.0';

/** Asks peers what they lend, and with `links` whom they are linked to. */
export function greetAll(
  swarm: Pick<Swarm, 'transport' | 'clock'>,
  peers: readonly PeerAddress[],
  options: { signal: AbortSignal; links?: boolean },
): Promise<Greeted[]> {
  return greetPeers(swarm, peers, { ...options, agent: AGENT });
}
