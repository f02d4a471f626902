import type { LayerRange } from '../wire/index.ts';
import { FRONT_LAYERS, gridCells } from './grid.ts';

export interface CellChoice {
  /** Layers of the whole model. */
  layers: number;
  /** Whether a range of whole cells can be held here. */
  fits: (range: LayerRange) => boolean;
  /** Peers that hold a layer already. */
  holders: (layer: number) => number;
  /** 0 to below 1: which of equally good ranges, so that peers that join together do not all take the same. */
  random: () => number;
}

/**
 * The largest range of whole grid cells that fits, so that every planner finds it; of several of that size, the one
 * whose layers the network holds least of. Null when not even one cell fits.
 */
export function chooseCells({ layers, fits, holders, random }: CellChoice): LayerRange | null {
  const cells = gridCells(layers);
  for (let count = cells.length; count > 0; count--) {
    const choices = Array.from({ length: cells.length - count + 1 }, (_, at) => ({
      start: cells[at]!.start,
      end: cells[at + count - 1]!.end,
    })).filter(fits);
    if (choices.length === 0) continue;
    const gains = choices.map((range) => gain(range, holders));
    const best = Math.max(...gains);
    // Sums of fractions in another order differ in their last digits.
    const equal = choices.filter((_, at) => gains[at]! > best - 1e-9);
    return equal[Math.min(equal.length - 1, Math.floor(random() * equal.length))]!;
  }
  return null;
}

/** A layer that nobody holds counts whole, one that n peers hold by 1/(1+n). */
function gain({ start, end }: LayerRange, holders: (layer: number) => number): number {
  let sum = 0;
  // Clients run the first layers themselves, but for those in light mode.
  for (let layer = Math.max(start, FRONT_LAYERS); layer < end; layer++) sum += 1 / (1 + holders(layer));
  return sum;
}
