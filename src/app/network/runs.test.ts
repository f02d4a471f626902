import { expect, it } from 'vitest';
import type { MapPeer } from '../../sdk/early.ts';
import { gapIn } from './missing.ts';
import { heldOf, type MapModel, missingIn, runsOf } from './runs.ts';

const host = (id: string, ...ranges: [number, number][]): MapPeer => ({
  id,
  kind: 'host',
  layers: ranges.map(([start, end]) => ({ cid: 'm', start, end })),
  sessions: 0,
});
const model = (coverage: number[], more: Partial<MapModel> = {}): MapModel => ({
  cid: 'm',
  name: 'M',
  layers: coverage.length,
  coverage,
  clientLayers: 2,
  ...more,
});
const entry = (bytes: number, layers = 8) =>
  ({ cid: 'm', id: 'm', name: 'M', layers, bytes }) as Parameters<typeof gapIn>[1][number];

it('layers held by the same peers stand in one row, and those that clients run stand apart', () => {
  const peers = [host('a', [1, 3]), host('b', [2, 4], [5, 6])];
  const runs = runsOf(model([0, 1, 2, 1, 0, 1]), peers);
  expect(
    runs.map(({ start, end, count, holders }) => [start, end, count, holders.map(({ id }) => id)]),
  ).toEqual([
    [0, 1, 0, []],
    [1, 2, 1, ['a']],
    [2, 3, 2, ['a', 'b']],
    [3, 4, 1, ['b']],
    [4, 5, 0, []],
    [5, 6, 1, ['b']],
  ]);
  const whole = runsOf(model([1, 1, 1, 1]), [host('a', [0, 3], [3, 4])]);
  expect(
    whole.map(({ start, end }) => [start, end]),
    'an edge between slices of one peer is none',
  ).toEqual([
    [0, 2],
    [2, 4],
  ]);
});

it('a layer is held by nobody, one, or two and more; the first ones need nobody', () => {
  const one = model([0, 1, 0, 1, 2, 9]);
  expect(one.coverage.map((_, layer) => heldOf(one, layer))).toEqual([
    'client',
    'one',
    'none',
    'one',
    'many',
    'many',
  ]);
  expect(missingIn(one)).toEqual([{ start: 2, end: 3 }]);
});

it('what to hold is the longest run that nobody holds, then the longest that one peer holds, then nothing', () => {
  const memory = 1e9;
  expect(gapIn([model([0, 0, 1, 0, 2, 0, 0, 1])], [], memory)).toMatchObject({
    start: 5,
    end: 7,
    held: 0,
    bytes: null,
  });
  expect(gapIn([model([0, 0, 1, 2, 2, 1, 1, 2])], [], memory)).toMatchObject({ start: 5, end: 7, held: 1 });
  expect(gapIn([model([0, 0, 2, 2, 2, 2, 3, 2])], [], memory)).toBeNull();
  expect(gapIn([], [], memory)).toBeNull();
});

it('a model that others have begun to hold comes before one that nobody holds', () => {
  const untouched = model(new Array(40).fill(0), { cid: 'large' });
  expect(gapIn([untouched, model([1, 1, 0, 1])], [], 1e9)?.model.cid).toBe('m');
  expect(gapIn([untouched], [], 1e9)).toMatchObject({ start: 2, end: 40 });
});

it('a run that does not fit the memory is cut, and its cost is told', () => {
  const all = [model(new Array(8).fill(0))];
  expect(gapIn(all, [entry(800)], 1e9)).toMatchObject({ start: 2, end: 8, bytes: 600 });
  expect(gapIn(all, [entry(800)], 2_400)).toMatchObject({ start: 2, end: 5, bytes: 300 });
  expect(gapIn(all, [entry(800)], 1), 'one layer at least').toMatchObject({ start: 2, end: 3 });
});
