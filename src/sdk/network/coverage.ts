import { FRONT_LAYERS, type LayerRange } from '../../swarm/index.ts';
import type { ModelCoverage, PeerSnapshot } from './types.ts';

/** Who holds each layer of a model, by what the peers offer. A peer that drains takes nobody, so it does not count. */
export function coverageOf(
  model: { cid: string; name: string; layers: number },
  peers: readonly PeerSnapshot[],
): ModelCoverage {
  const layers = Array.from({ length: model.layers }, (_, layer) => ({
    layer,
    holders: peers
      .filter(({ offers }) => offers.some((offer) => holds(offer, layer)))
      .map(({ peer }) => peer),
  }));
  function holds(offer: PeerSnapshot['offers'][number], layer: number): boolean {
    return offer.cid === model.cid && !offer.draining && offer.start <= layer && layer < offer.end;
  }
  const clientLayers = Math.min(FRONT_LAYERS, model.layers);
  const empty = layers.slice(clientLayers).filter(({ holders }) => holders.length === 0);
  return {
    cid: model.cid,
    model: model.name,
    layers,
    clientLayers,
    missing: ranges(empty.map(({ layer }) => layer)),
  };
}

/** Ascending layers as half-open ranges. */
export function ranges(layers: readonly number[]): LayerRange[] {
  const found: LayerRange[] = [];
  for (const layer of layers) {
    const last = found.at(-1);
    if (last?.end === layer) last.end++;
    else found.push({ start: layer, end: layer + 1 });
  }
  return found;
}
