import type { MapLink, MapPeer, NetworkMap } from '../../sdk/early.ts';

/** Peers that hold the same layers, or that only ask, or relays: they swim together. */
export interface Group {
  key: string;
  kind: 'hosts' | 'clients' | 'relays';
  /** Of hosts: what all of them hold. */
  range: { cid: string; start: number; end: number } | null;
  /** Where its middle lies in its model, 0 (first layer) to 1 (last). */
  depth: number;
  /** Which of the models, in their order. */
  row: number;
  peers: number;
}

export interface SceneNode extends MapPeer {
  group: string;
}

/** What is drawn, without places. */
export interface Scene {
  nodes: SceneNode[];
  links: MapLink[];
  groups: Group[];
}

/** More schools than a picture has room for are put together by eighths of their model. */
const MOST_GROUPS = 40;
const PARTS = 8;

export function sceneOf({ peers, links, models }: Pick<NetworkMap, 'peers' | 'links' | 'models'>): Scene {
  const rows = new Map(models.map((model, row) => [model.cid, { row, layers: model.layers }]));
  const exact = grouped(peers, (peer) => mainRange(peer));
  if (exact.groups.filter(({ kind }) => kind === 'hosts').length <= MOST_GROUPS) return { ...exact, links };
  return { ...grouped(peers, (peer) => coarse(mainRange(peer))), links };

  function grouped(all: readonly MapPeer[], rangeOf: (peer: MapPeer) => Group['range']) {
    const groups = new Map<string, Group>();
    const nodes = all.map((peer): SceneNode => {
      const range = peer.kind === 'relay' ? null : rangeOf(peer);
      const kind = peer.kind === 'relay' ? 'relays' : range ? 'hosts' : 'clients';
      const key = range ? `${range.cid} ${range.start} ${range.end}` : kind;
      const known = groups.get(key);
      if (known) known.peers++;
      else groups.set(key, { key, kind, range, ...placeOf(range), peers: 1 });
      return { ...peer, group: key };
    });
    return { nodes, groups: [...groups.values()] };
  }

  function placeOf(range: Group['range']): { depth: number; row: number } {
    const known = range && rows.get(range.cid);
    if (!known) return { depth: 0.5, row: range ? rows.size : 0 };
    return { depth: (range.start + range.end) / 2 / Math.max(1, known.layers), row: known.row };
  }

  function coarse(range: Group['range']): Group['range'] {
    const layers = range && rows.get(range.cid)?.layers;
    if (!range || !layers) return range;
    const step = Math.max(1, Math.ceil(layers / PARTS));
    const start = Math.floor(range.start / step) * step;
    return { cid: range.cid, start, end: Math.min(layers, Math.ceil(range.end / step) * step) };
  }
}

/** The largest slice of a peer, null when it lends nothing. */
function mainRange({ layers }: MapPeer): Group['range'] {
  let main: Group['range'] = null;
  for (const range of layers) if (!main || range.end - range.start > main.end - main.start) main = range;
  return main && { cid: main.cid, start: main.start, end: main.end };
}

/** True when only numbers on peers differ: nothing has to find a new place. */
export function sameShape(a: Scene, b: Scene): boolean {
  const text = ({ nodes }: Scene) => nodes.map(({ id, group }) => `${id} ${group}`).join();
  return a.nodes.length === b.nodes.length && text(a) === text(b);
}
