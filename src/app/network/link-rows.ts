import type { LinkSnapshot, MapPeer, NetworkMap } from '../../sdk/early.ts';
import { shortId } from './route.ts';

/** One link as a line of the table. */
export interface LinkRow {
  from: MapPeer;
  to: MapPeer;
  path: LinkSnapshot['path'];
  /** Milliseconds; null before it is measured. */
  roundTripMs: number | null;
  /** Of this tab's own links only. */
  traffic: Pick<LinkSnapshot, 'bytesIn' | 'bytesOut'> | null;
}

/** This tab's links, then those of peers with each other, then those of the relays, which everybody has. */
export function linkRows(
  { peers, links }: Pick<NetworkMap, 'peers' | 'links'>,
  own: readonly LinkSnapshot[],
): LinkRow[] {
  const known = new Map(peers.map((peer) => [peer.id, peer]));
  const traffic = new Map(own.map((link) => [shortId(link.peer), link]));
  const rows = links.flatMap(({ from, to, path, roundTripMs }): LinkRow[] => {
    const [a, b] = [known.get(from), known.get(to)];
    if (!a || !b) return [];
    // A relay stands at the end, where everybody's relay is looked for, and this tab at the beginning.
    const turned = b.kind === 'self' || (a.kind === 'relay' && b.kind !== 'relay');
    const [one, other] = turned ? [b, a] : a.id > b.id && a.kind === b.kind ? [b, a] : [a, b];
    const { bytesIn, bytesOut } = (one.kind === 'self' && traffic.get(other.id)) || {};
    const counted = bytesIn !== undefined && bytesOut !== undefined ? { bytesIn, bytesOut } : null;
    return [{ from: one, to: other, path, roundTripMs, traffic: counted }];
  });
  const rank = ({ from, to }: LinkRow) => (from.kind === 'self' ? 0 : to.kind === 'relay' ? 2 : 1);
  return rows.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.from.id < b.from.id ? -1 : a.from.id > b.from.id ? 1 : a.to.id < b.to.id ? -1 : 1),
  );
}
