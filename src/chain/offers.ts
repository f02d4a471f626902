import { layersInWords } from '../host/index.ts';
import type { Hello, LayerRange, Offer } from '../wire/index.ts';
import { PROTOCOL_VERSION } from '../wire/index.ts';

export interface OfferFilter {
  cid: string;
  /** Layers of the whole model. */
  layers: number;
  arithmetic: 'exact' | 'any';
}

/** The offers of a hello that a chain can use; empty for a peer of another version. */
export function usableOffers(hello: Hello, { cid, layers, arithmetic }: OfferFilter): Offer[] {
  if (hello.proto_ver !== PROTOCOL_VERSION) return [];
  return (hello.offers ?? []).filter((offer) => {
    const sound = offer.cid === cid && offer.start >= 0 && offer.start < offer.end && offer.end <= layers;
    const numbers = [offer.decode_ms, offer.load_ms, offer.free_blocks, offer.max_tokens, offer.sessions];
    if (!sound || !numbers.every((n) => Number.isFinite(n) && n >= 0)) return false;
    return arithmetic === 'any' || (offer.arithmetic === 'exact' && offer.precision === 'float32');
  });
}

/** `layers 4 to 9 and layer 12`, for people. */
export function rangesInWords(ranges: readonly LayerRange[]): string {
  const words = ranges.map(layersInWords);
  const last = words.pop() ?? 'no layers';
  return words.length > 0 ? `${words.join(', ')} and ${last}` : last;
}
