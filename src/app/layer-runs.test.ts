import { expect, test } from 'vitest';
import { runsOf } from './layer-runs.ts';

test('layers held by the same peers stand in one row, whatever their order', () => {
  const holders = [['a'], ['a', 'b'], ['b', 'a'], [], [], ['b']];
  const layers = holders.map((held, layer) => ({ layer, holders: held }));
  expect(runsOf({ cid: 'c', model: 'M', layers, clientLayers: 0, missing: [] })).toEqual([
    { start: 0, end: 1, holders: ['a'] },
    { start: 1, end: 3, holders: ['a', 'b'] },
    { start: 3, end: 5, holders: [] },
    { start: 5, end: 6, holders: ['b'] },
  ]);
  const apart = runsOf({ cid: 'c', model: 'M', layers, clientLayers: 4, missing: [] });
  expect(apart.map(({ start }) => start)).toEqual([0, 1, 3, 4, 5]);
});
