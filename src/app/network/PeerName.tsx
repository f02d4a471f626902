import type { MapPeer } from '../../sdk/early.ts';
import { formatPeer } from '../format.ts';
import { useWords } from '../words/index.ts';

/** What a peer is called: `this tab`, `relay` where there is one only, else the end of its id. */
export function useNames(peers: readonly MapPeer[]): (peer: Pick<MapPeer, 'id' | 'kind'>) => string {
  const { network } = useWords();
  const relays = peers.filter(({ kind }) => kind === 'relay').length;
  return ({ id, kind }) => {
    if (kind === 'self') return network.self;
    if (kind === 'relay') return relays > 1 ? `${network.relay} ${formatPeer(id)}` : network.relay;
    return formatPeer(id);
  };
}
