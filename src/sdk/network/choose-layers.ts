import type { Manifest } from '../../model/index.ts';
import { sliceBytes, sliceTensors } from '../../model/index.ts';
import { chooseCells, gridCells, type LayerRange } from '../../swarm/index.ts';
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
  const chosen = chooseCells({
    layers: manifest.config.layers,
    fits: ({ start, end }) => cells.filter((cell) => cell.start >= start && cell.end <= end).length <= count,
    holders: (layer) => coverage?.layers[layer]?.holders.length ?? 0,
    random,
  });
  // One cell always counts as fitting.
  return chosen!;
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
