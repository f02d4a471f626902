import { useMemo } from 'react';
import type { LinkSnapshot, NetworkMap } from '../../sdk/early.ts';
import { formatBytes, formatMs } from '../format.ts';
import { useWords } from '../words/index.ts';
import { linkRows } from './link-rows.ts';
import { Pager, usePages } from './Pager.tsx';
import { useNames } from './PeerName.tsx';

const PAGE = 20;

/** Who is linked to whom, how, and how far apart they are: this tab's own links first. */
export function LinkTable({ map, own }: { map: NetworkMap; own: readonly LinkSnapshot[] }) {
  const { network } = useWords();
  const nameOf = useNames(map.peers);
  const rows = useMemo(() => linkRows(map, own), [map, own]);
  const { shown, ...pages } = usePages(rows, PAGE);
  if (rows.length === 0) return <p className="hint">{network.noLinks}</p>;
  return (
    <section aria-labelledby="network-links">
      <div className="network-wide">
        <table className="network-table" aria-labelledby="network-links">
          <caption>
            <h2 id="network-links">{network.linksTable}</h2>
          </caption>
          <thead>
            <tr>
              <th scope="col">{network.from}</th>
              <th scope="col">{network.to}</th>
              <th scope="col">{network.pathOfLink}</th>
              <th scope="col">{network.trip}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ from, to, path, roundTripMs, traffic }) => (
              <tr key={`${from.id} ${to.id}`} data-self={from.kind === 'self' || undefined}>
                <th scope="row">{nameOf(from)}</th>
                <td className="network-name">{nameOf(to)}</td>
                <td>
                  {network.paths[path]}
                  {traffic && (
                    <small>
                      {network.traffic(formatBytes(traffic.bytesIn), formatBytes(traffic.bytesOut))}
                    </small>
                  )}
                </td>
                <td>{roundTripMs === null ? network.unmeasured : formatMs(roundTripMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pager of={network.linksTable} {...pages} />
    </section>
  );
}
