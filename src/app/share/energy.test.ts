import { expect, test } from 'vitest';
import { estimateEnergy, keepAssumptions, readAssumptions, WORLD_GRAMS_PER_KWH } from './energy.ts';

const world = { watts: null, gramsPerKwh: WORLD_GRAMS_PER_KWH };

test('an hour of a laptop GPU is 15 Wh, and of the world’s electricity 7.1 g', () => {
  const { wattHours, grams } = estimateEnergy(3_600_000, world, 'jspi');
  expect(wattHours).toBe(15);
  expect(grams).toBeCloseTo(7.095);
  expect(estimateEnergy(3_600_000, world, 'wasm').wattHours).toBe(10);
  expect(estimateEnergy(0, world, null)).toEqual({ wattHours: 0, grams: 0 });
});

test('what a reader puts in counts and is kept; what is odd is not', () => {
  const values = new Map<string, string>();
  const keep = {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
  };
  expect(readAssumptions(keep)).toEqual(world);
  keepAssumptions(keep, { watts: 200, gramsPerKwh: 30 });
  expect(readAssumptions(keep)).toEqual({ watts: 200, gramsPerKwh: 30 });
  expect(estimateEnergy(1_800_000, readAssumptions(keep), 'wasm')).toEqual({ wattHours: 100, grams: 3 });
  for (const odd of ['{', '7', '{"watts":-1,"gramsPerKwh":"x"}', '{"watts":1e9,"gramsPerKwh":-5}', '[]']) {
    values.set([...values.keys()][0]!, odd);
    expect(readAssumptions(keep)).toEqual(world);
  }
});
