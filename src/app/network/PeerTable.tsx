import { useMemo } from 'react';
import type { MapLink, MapPeer, NetworkMap } from '../../sdk/early.ts';
import { formatMs } from '../format.ts';
import { useWords } from '../words/index.ts';
import { useLayerWords } from './layer-words.ts';
import { Pager, usePages } from './Pager.tsx';
import { useNames } from './PeerName.tsx';

const PAGE = 20;
const ORDER: Record<MapPeer['kind'], number> = { self: 0, relay: 1, host: 2, client: 3 };

/** Everybody in the picture: this tab first, then relays, those who lend, and those who only ask. */
export function PeerTable({ map }: { map: NetworkMap }) {
  const { network } = useWords();
  const nameOf = useNames(map.peers);
  const layersOf = useLayerWords(map.models, 'short');
  const self = map.peers.find(({ kind }) => kind === 'self');
  const own = useMemo(() => ownLinks(map.links, self?.id ?? null), [map.links, self?.id]);
  const sorted = useMemo(
    () => [...map.peers].sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || (a.id < b.id ? -1 : 1)),
    [map.peers],
  );
  const { shown, ...pages } = usePages(sorted, PAGE);
  if (sorted.length === 0) return null;
  return (
    <section aria-labelledby="network-peers">
      <div className="network-wide">
        <table className="network-table">
          <caption>
            <h2 id="network-peers">{network.peersTable}</h2>
          </caption>
          <thead>
            <tr>
              <th scope="col">{network.peer}</th>
              <th scope="col" className="network-kind">
                {network.kind}
              </th>
              <th scope="col">{network.layers}</th>
              <th scope="col">{network.sessionsColumn}</th>
              <th scope="col">{network.path}</th>
              <th scope="col">{network.trip}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((peer) => {
              const link = own.get(peer.id);
              return (
                <tr key={peer.id} data-self={peer.kind === 'self' || undefined}>
                  <th scope="row">{nameOf(peer)}</th>
                  <td className="network-kind">{network.kinds[peer.kind]}</td>
                  <td>{layersOf(peer)}</td>
                  <td>{peer.sessions ?? network.unknown}</td>
                  <td>{peer.kind === 'self' ? network.unknown : network.paths[link?.path ?? 'none']}</td>
                  <td>{link && link.roundTripMs !== null ? formatMs(link.roundTripMs) : network.unknown}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <Pager of={network.peersTable} {...pages} />
    </section>
  );
}

/** This tab's links by who is at the other end. */
export function ownLinks(links: readonly MapLink[], self: string | null): Map<string, MapLink> {
  const own = links.filter(({ from, to }) => self !== null && (from === self || to === self));
  return new Map(own.map((link) => [link.from === self ? link.to : link.from, link]));
}
