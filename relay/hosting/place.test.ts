import { expect, it } from 'vitest';
import type { LayersWanted } from '../config/types.ts';
import type { ServedModel } from '../shelf.ts';
import type { Device } from './devices.ts';
import { DeviceMemory } from './memory.ts';
import type { Needs } from './need.ts';
import { place } from './place.ts';

const LAYERS = 24;
const model = { name: 'Test', cid: 'c', layers: LAYERS } as ServedModel;

/** A layer takes 100 and its conversation 5, the embedding and the head 50 each. */
const needs = {
  of: ({ start, end }) => ({
    weights: 100 * (end - start) + (start === 0 ? 50 : 0) + (end === LAYERS ? 50 : 0),
    conversation: 5 * (end - start),
  }),
} as Pick<Needs, 'of'> as Needs;

async function devices(...totals: number[]): Promise<Device[]> {
  const made: Device[] = totals.map((total, at) => ({
    name: `cuda:${at}`,
    backend: 'node-cuda',
    memory: new DeviceMemory('gpu', total, async () => 0),
  }));
  for (const { memory } of made) await memory.refresh();
  return made;
}

const placed = (
  layers: Exclude<LayersWanted, 'none'>,
  on: Device[],
  holders: (layer: number) => number = () => 0,
) =>
  place({ model, layers, needs, devices: on, holders, random: () => 0 }).map(({ device, start, end }) => [
    device.name,
    start,
    end,
  ]);

it('one device takes the whole where four conversations fit beside it', async () => {
  expect(placed('auto', await devices(2980))).toEqual([['cuda:0', 0, 24]]);
  expect(placed('auto', await devices(2979))).not.toEqual([['cuda:0', 0, 24]]);
});

it('two devices share by their memory, in whole cells, without gap or overlap', async () => {
  expect(placed('all', await devices(3000, 3000))).toEqual([
    ['cuda:0', 0, 12],
    ['cuda:1', 12, 24],
  ]);
  expect(placed('auto', await devices(1000, 3000))).toEqual([
    ['cuda:0', 0, 6],
    ['cuda:1', 6, 24],
  ]);
});

it('what is too much for one goes to the next, and a device without room gets nothing', async () => {
  expect(placed('all', await devices(100, 3000))).toEqual([['cuda:1', 0, 24]]);
  // By memory each would take 4 of 8 cells; with the embedding that is 1,490 in the first, which has 1,480.
  expect(placed('all', await devices(1480, 1860))).toEqual([
    ['cuda:0', 0, 9],
    ['cuda:1', 9, 24],
  ]);
});

it('a part is as large as fits, where the fewest hold it', async () => {
  // Room for two cells of three layers.
  const on = await devices(800);
  expect(placed('auto', on, (layer) => (layer >= 9 && layer < 15 ? 0 : 2))).toEqual([['cuda:0', 9, 15]]);
  expect(placed('auto', on, (layer) => (layer < 18 ? 1 : 0))).toEqual([['cuda:0', 18, 24]]);
});

it('a range that was asked for begins and ends where it was asked for', async () => {
  expect(placed({ start: 5, end: 7 }, await devices(1000))).toEqual([['cuda:0', 5, 7]]);
  expect(placed({ start: 1, end: 23 }, await devices(1400, 1400))).toEqual([
    ['cuda:0', 1, 12],
    ['cuda:1', 12, 23],
  ]);
});

it('all with one conversation is better than an error; less is an error that says how much is missing', async () => {
  expect(placed('all', await devices(2620))).toEqual([['cuda:0', 0, 24]]);
  const tight = await devices(2000);
  expect(() => placed('all', tight)).toThrow(
    'Layers 0 to 23 of Test take 3 kB, and one conversation 120 B: 2 kB are left, 620 B too little.',
  );
  expect(() => placed({ start: 20, end: 25 }, tight)).toThrow('has layers 0-24');
  const none = await devices(99);
  expect(() => placed('auto', none)).toThrow(/Not even layers 21 to 23 of Test fit with 4 conversations/);
});

it('memory that another model has a right to is not given away', async () => {
  const on = await devices(6000);
  on[0]!.memory.claim(3500);
  expect(placed('auto', on)).not.toEqual([['cuda:0', 0, 24]]);
});
