import type { Manifest } from '../../model/index.ts';
import { sliceBytes, sliceTensors } from '../../model/index.ts';
import { FRONT_LAYERS, gridCells, type LayerRange } from '../../swarm/index.ts';
import type { ModelCoverage } from './types.ts';

/** Bytes that a tab lends when nobody says: what a laptop or a good phone does not miss. */
export const DEFAULT_MEMORY = 512 * 1024 * 1024;
/** A caller who gives less than this means another unit. */
export const LEAST_MEMORY = 16 * 1024 * 1024;
/** Half for weights leaves the other half for the caches of those who come. */
const WEIGHT_SHARE = 0.5;

/**
 * The layers that the network holds least of, of the size that fits `memory`: whole cells of the grid, so that every
 * planner finds them. Weights are counted at 4 bytes each, as the CPU holds them; a GPU needs less.
 * @param random 0 to below 1: which of equally good ranges, so that tabs that join together do not all take the same
 */
export function chooseLayers(
  manifest: Manifest,
  coverage: ModelCoverage | null,
  memory: number,
  random: () => number,
): LayerRange {
  const cells = gridCells(manifest.config.layers);
  const cellBytes = Math.max(...cells.map((cell) => memoryOf(manifest, cell)));
  const count = Math.min(cells.length, Math.max(1, Math.floor((memory * WEIGHT_SHARE) / cellBytes)));
  const choices = Array.from({ length: cells.length - count + 1 }, (_, at) => {
    const range = { start: cells[at]!.start, end: cells[at + count - 1]!.end };
    return { range, gain: gain(range, coverage) };
  });
  const best = Math.max(...choices.map((choice) => choice.gain));
  // Sums of fractions in another order differ in their last digits.
  const equal = choices.filter((choice) => choice.gain > best - 1e-9);
  return equal[Math.min(equal.length - 1, Math.floor(random() * equal.length))]!.range;
}

/** Bytes of the range's weights in memory, at most. */
function memoryOf(manifest: Manifest, { start, end }: LayerRange): number {
  const slice = { start, end, embed: false, head: false };
  const weights = sliceTensors(manifest, slice).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  return Math.max(weights * 4, sliceBytes(manifest, slice));
}

/** A layer that nobody holds counts whole, one that n peers hold by 1/(1+n). */
function gain({ start, end }: LayerRange, coverage: ModelCoverage | null): number {
  let sum = 0;
  // Clients run the first layers themselves, but for those in light mode.
  for (let layer = Math.max(start, FRONT_LAYERS); layer < end; layer++) {
    sum += 1 / (1 + (coverage?.layers[layer]?.holders.length ?? 0));
  }
  return sum;
}
