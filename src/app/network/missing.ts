import type { ModelEntry } from '../../sdk/early.ts';
import { type MapModel, runsWhere } from './runs.ts';

/** Layers that it would help to hold. */
export interface Gap {
  model: MapModel;
  start: number;
  /** Exclusive. */
  end: number;
  /** Peers that hold each of them now: 0, or 1 when nothing is missing but some is thin. */
  held: number;
  /** Bytes to fetch, about; null when the size of the model is not known. */
  bytes: number | null;
}

/** Weights of a quantised file take so much more room once they are numbers; half of the memory is for caches. */
const UNPACKED = 8;

/**
 * What this device should hold: the longest run of layers that nobody holds, of a model that somebody holds a part of
 * before one that nobody does; when nothing is missing, the longest run that only one peer holds. Null when every layer
 * is held twice.
 * @param memory bytes that may be lent: a longer run is cut to what fits
 */
export function gapIn(
  models: readonly MapModel[],
  entries: readonly ModelEntry[],
  memory: number,
): Gap | null {
  for (const held of [0, 1]) {
    const gaps = models.flatMap((model) =>
      runsWhere(model, (count) => count === held).map((run) => ({ model, ...run })),
    );
    const begun = ({ coverage }: MapModel) => coverage.some((count) => count > 0);
    gaps.sort((a, b) => {
      const first = Number(begun(b.model)) - Number(begun(a.model));
      return first || b.end - b.start - (a.end - a.start);
    });
    const gap = gaps[0];
    if (!gap) continue;
    const entry = entries.find(({ cid }) => cid === gap.model.cid);
    const perLayer = entry ? entry.bytes / Math.max(1, entry.layers) : null;
    const most = perLayer
      ? Math.max(1, Math.floor(memory / (perLayer * UNPACKED)))
      : Number.POSITIVE_INFINITY;
    const end = Math.min(gap.end, gap.start + most);
    return { ...gap, end, held, bytes: perLayer && Math.round(perLayer * (end - gap.start)) };
  }
  return null;
}
