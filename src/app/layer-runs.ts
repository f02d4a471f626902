import type { ModelCoverage } from '../sdk/index.ts';

/** Layers in a row that the same peers hold. */
export interface LayerRun {
  start: number;
  /** Exclusive. */
  end: number;
  holders: string[];
}

/** The first layers, which clients run themselves, stand apart. */
export function runsOf({ layers, clientLayers }: ModelCoverage): LayerRun[] {
  const runs: LayerRun[] = [];
  for (const { layer, holders } of layers) {
    const last = runs.at(-1);
    if (last && layer !== clientLayers && sameHolders(last.holders, holders)) last.end = layer + 1;
    else runs.push({ start: layer, end: layer + 1, holders });
  }
  return runs;
}

function sameHolders(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((peer) => b.includes(peer));
}
