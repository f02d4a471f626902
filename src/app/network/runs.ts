import type { MapPeer, NetworkMap } from '../../sdk/early.ts';

export type MapModel = NetworkMap['models'][number];

/** Layers in a row that equally many, and the same, peers hold. */
export interface LayerRun {
  start: number;
  /** Exclusive. */
  end: number;
  count: number;
  /** Those of them that the picture names: it is capped, so that there may be more. */
  holders: MapPeer[];
}

/** The layers of a model as runs; the first ones, which clients run themselves, stand apart. */
export function runsOf({ cid, coverage, clientLayers }: MapModel, peers: readonly MapPeer[]): LayerRun[] {
  const slices = peers.flatMap((peer) =>
    peer.layers.filter((slice) => slice.cid === cid).map(({ start, end }) => ({ peer, start, end })),
  );
  // Holders only change where a slice begins or ends.
  const edges = new Set([clientLayers, ...slices.flatMap(({ start, end }) => [start, end])]);
  const runs: LayerRun[] = [];
  for (const [layer, count] of coverage.entries()) {
    const last = runs.at(-1);
    if (last && last.count === count && !edges.has(layer)) {
      last.end = layer + 1;
      continue;
    }
    const holding = slices.filter(({ start, end }) => start <= layer && layer < end);
    const holders = [...new Set(holding.map(({ peer }) => peer))];
    // An edge of a slice whose holder goes on with another one changes nothing.
    if (last && last.count === count && layer !== clientLayers && same(last.holders, holders)) last.end++;
    else runs.push({ start: layer, end: layer + 1, count, holders });
  }
  return runs;
}

function same(a: readonly MapPeer[], b: readonly MapPeer[]): boolean {
  return a.length === b.length && a.every((peer) => b.includes(peer));
}

/** How well a layer is held: by nobody, by one, by two or more; or it need not be, for each who asks runs it. */
export type Held = 'none' | 'one' | 'many' | 'client';

export function heldOf({ coverage, clientLayers }: MapModel, layer: number): Held {
  const count = coverage[layer] ?? 0;
  if (count === 0) return layer < clientLayers ? 'client' : 'none';
  return count === 1 ? 'one' : 'many';
}

/** Layers that somebody has to hold and nobody does. */
export function missingIn(model: MapModel): { start: number; end: number }[] {
  return runsWhere(model, (count) => count === 0);
}

export function runsWhere(
  { coverage, clientLayers }: MapModel,
  fits: (count: number) => boolean,
): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let layer = clientLayers; layer < coverage.length; layer++) {
    if (!fits(coverage[layer]!)) continue;
    const last = found.at(-1);
    if (last?.end === layer) last.end++;
    else found.push({ start: layer, end: layer + 1 });
  }
  return found;
}
