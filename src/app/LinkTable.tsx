import type { LinkSnapshot, NetworkSnapshot } from '../sdk/index.ts';
import { formatBytes, formatMs } from './format.ts';
import { type LinkRow, linkRows } from './link-rows.ts';
import { type KnownPeers, PeerName } from './PeerName.tsx';

interface Props {
  network: NetworkSnapshot;
  known: KnownPeers;
}

const PATHS: Record<LinkSnapshot['path'], string> = {
  direct: 'direct',
  relayed: 'through the relay',
  websocket: 'WebSocket',
  tcp: 'TCP',
  local: 'this tab',
  none: 'no link',
};

/** Who is linked to whom, how, and how far apart they are: this tab's own links first. */
export function LinkTable({ network, known }: Props) {
  const rows = linkRows(network, known);
  if (rows.length === 0) return <p className="hint">This tab knows of no links between peers now.</p>;
  return (
    <section aria-labelledby="links-title">
      <table className="links">
        <caption>
          <h3 id="links-title">Who is linked to whom</h3>
        </caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Path</th>
            <th scope="col">Round trip</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={`${row.from} ${row.to}`} row={row} known={known} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row, known }: { row: LinkRow; known: KnownPeers }) {
  const { from, to, path, roundTripMs, traffic } = row;
  return (
    <tr>
      <th scope="row">
        <PeerName peer={from} known={known} />
      </th>
      <td>
        <PeerName peer={to} known={known} />
      </td>
      <td>
        {PATHS[path]}
        {traffic && (
          <small>
            {formatBytes(traffic.bytesIn)} in, {formatBytes(traffic.bytesOut)} out
          </small>
        )}
      </td>
      <td>{roundTripMs === null ? 'unknown' : formatMs(roundTripMs)}</td>
    </tr>
  );
}
