import type { LayerRange } from '../wire/index.ts';

/** Cells that a model's layers are divided into, about. Few enough to ask for all of them at once. */
const CELLS = 8;

/**
 * Layers that a client runs itself in private mode, after the embedding. A host that lends a whole model loads what
 * comes after these first.
 */
export const FRONT_LAYERS = 2;

/** The cells of a model with that many layers: about eight, of equal size but for the last. */
export function gridCells(layers: number): LayerRange[] {
  const size = Math.max(1, Math.ceil(layers / CELLS));
  const cells: LayerRange[] = [];
  for (let start = 0; start < layers; start += size)
    cells.push({ start, end: Math.min(layers, start + size) });
  return cells;
}

/** Cells that share a layer with the range: a host of the range publishes these, and a planner asks for them. */
export function cellsTouching(layers: number, { start, end }: LayerRange): LayerRange[] {
  return gridCells(layers).filter((cell) => cell.start < end && cell.end > start);
}
