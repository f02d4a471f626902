import type { MapLink, MapPeer, NetworkMap } from '../../sdk/early.ts';
import { formatMs } from '../format.ts';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { useLayerWords } from './layer-words.ts';
import { useNames } from './PeerName.tsx';

interface Props {
  map: NetworkMap;
  peer: MapPeer;
  /** Its link to this tab. */
  link: MapLink | null;
  /** Null when it is only pointed at. */
  onClose: (() => void) | null;
}

/** What is known of one peer of the picture. */
export function PeerCard({ map, peer, link, onClose }: Props) {
  const { network } = useWords();
  const nameOf = useNames(map.peers);
  const layersOf = useLayerWords(map.models);
  const links = map.links.filter(({ from, to }) => from === peer.id || to === peer.id).length;
  const facts: [string, string][] = [
    [network.layers, layersOf(peer)],
    [network.sessions, peer.sessions === null ? network.unknown : String(peer.sessions)],
    [network.links, String(links)],
  ];
  if (peer.kind !== 'self') {
    const trip = link?.roundTripMs ?? null;
    facts.push([network.path, network.paths[link?.path ?? 'none']]);
    if (link) facts.push([network.trip, trip === null ? network.unmeasured : formatMs(trip)]);
  }
  return (
    <section className="network-card" aria-label={network.card}>
      <div>
        <h2>{nameOf(peer)}</h2>
        <span className="hint">
          {peer.kind === 'self' || peer.kind === 'relay' ? peer.id : network.kinds[peer.kind]}
        </span>
        {onClose && (
          <button type="button" className="icon" aria-label={network.close} onClick={onClose}>
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
