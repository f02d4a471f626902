import { expect, it } from 'vitest';
import { type Manifest, MemorySource, makeManifest, openModelFiles } from '../../model/index.ts';
import { gridCells } from '../../swarm/index.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { chooseLayers } from './choose-layers.ts';
import type { ModelCoverage } from './types.ts';

const LAYERS = 30;

async function manifestOf(layers: number): Promise<Manifest> {
  return (await makeManifest(await openModelFiles([new MemorySource('t', tinyModel(layers, 1.5))]))).manifest;
}

/** As many holders of each layer. */
const held = (count: (layer: number) => number): ModelCoverage => ({
  cid: 'c',
  model: 'm',
  clientLayers: 2,
  missing: [],
  layers: Array.from({ length: LAYERS }, (_, layer) => ({
    layer,
    holders: Array.from({ length: count(layer) }, (_, i) => `p${i}`),
  })),
});

it('takes whole cells, as many as half of the memory holds, where holders are fewest', async () => {
  const manifest = await manifestOf(LAYERS);
  const { width, ffnWidth, kvHeads, headSize } = manifest.config;
  const layer = 4 * (2 * width * width + 2 * width * kvHeads * headSize + 3 * width * ffnWidth + 2 * width);
  const cell = gridCells(LAYERS)[0]!.end * layer;
  const memory = 2 * 2.5 * cell;
  // Layers 12 to 20 have one holder, all others two.
  const gap = held((at) => (at >= 12 && at < 20 ? 1 : 2));
  const chosen = chooseLayers(manifest, gap, memory, () => 0.5);
  expect(chosen).toEqual({ start: 12, end: 20 });
  // However little memory there is, it is one cell; however much, the whole model.
  expect(gridCells(LAYERS)).toContainEqual(chooseLayers(manifest, gap, 1, () => 0));
  expect(chooseLayers(manifest, null, 1e12, () => 0)).toEqual({ start: 0, end: LAYERS });
});

it('spreads tabs that join together over equally good ranges, and leaves the first layers for last', async () => {
  const manifest = await manifestOf(LAYERS);
  const none = held(() => 0);
  const chosen = [0, 0.3, 0.6, 0.999].map((random) => chooseLayers(manifest, none, 1, () => random).start);
  expect(new Set(chosen).size).toBeGreaterThan(2);
  // Clients run those themselves.
  expect(chosen).not.toContain(0);
});
