import { type Greeted, greetAll as greetPeers } from '../../host/index.ts';
import { AGENT, type PeerAddress, type Swarm } from '../../swarm/index.ts';

export type { Greeted };
export { AGENT };

/** Asks peers what they lend, and with `links` whom they are linked to. */
export function greetAll(
  swarm: Pick<Swarm, 'transport' | 'clock'>,
  peers: readonly PeerAddress[],
  options: { signal: AbortSignal; links?: boolean },
): Promise<Greeted[]> {
  return greetPeers(swarm, peers, { ...options, agent: AGENT });
}
