import type { MapPeer, NetworkMap } from '../../sdk/early.ts';
import { useWords } from '../words/index.ts';
import { shortId } from './route.ts';

/** More slices of one peer than these are only counted. */
const MOST_TOLD = 3;

/** What a peer holds, in words: `layers 2 to 29 of SmolLM2`; short, without the model where there is only one. */
export function useLayerWords(
  models: NetworkMap['models'],
  length: 'short' | 'long' = 'long',
): (peer: Pick<MapPeer, 'layers'>) => string {
  const { network } = useWords();
  const names = new Map(models.map(({ cid, name }) => [cid, name]));
  return ({ layers }) => {
    if (layers.length === 0) return network.noLayers;
    const told = layers
      .slice(0, MOST_TOLD)
      .map((slice) =>
        length === 'short' && names.size === 1 && names.has(slice.cid)
          ? network.heldOfOnly(slice)
          : network.held(names.get(slice.cid) ?? shortId(slice.cid), slice),
      );
    const more = layers.length - told.length;
    return more > 0 ? `${told.join(', ')} ${network.more(more)}` : told.join(', ');
  };
}
