import type { Keep } from '../keep.ts';

/** What the estimate assumes; a reader may put in what is known of the own device and grid. */
export interface EnergyAssumptions {
  /** While the engine computes; null for the usual value of the back end. */
  watts: number | null;
  /** Grams of CO2 per kilowatt-hour of electricity. */
  gramsPerKwh: number;
}

export interface EnergyEstimate {
  wattHours: number;
  grams: number;
}

/** Ember, Global Electricity Review 2025: world average of 2024. */
export const WORLD_GRAMS_PER_KWH = 473;
/** A laptop's GPU at work, and its processor with a few threads. A graphics card takes ten times as much. */
const GPU_WATTS = 15;
const CPU_WATTS = 10;

export const ENERGY_LIMITS = { watts: [1, 2000], gramsPerKwh: [0, 2000] } as const;
const KEY = 'shoal.energy';
const MS_PER_HOUR = 3_600_000;

export function defaultWatts(backend: string | null): number {
  return backend === null || backend === 'wasm' || backend === 'node-cpu' ? CPU_WATTS : GPU_WATTS;
}

/** @param computeMs milliseconds that the engine ran for others: at less than full power it runs for fewer */
export function estimateEnergy(
  computeMs: number,
  { watts, gramsPerKwh }: EnergyAssumptions,
  backend: string | null,
): EnergyEstimate {
  const wattHours = ((watts ?? defaultWatts(backend)) * computeMs) / MS_PER_HOUR;
  return { wattHours, grams: (wattHours / 1000) * gramsPerKwh };
}

/** What the reader put in; anything odd counts as nothing. */
export function readAssumptions(keep: Pick<Keep, 'getItem'>): EnergyAssumptions {
  let given: unknown = null;
  try {
    given = JSON.parse(keep.getItem(KEY) ?? 'null');
  } catch {
    // Not written by us.
  }
  const field = (name: keyof EnergyAssumptions): number | null => {
    const value: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, name) : null;
    const [least, most] = ENERGY_LIMITS[name];
    return typeof value === 'number' && value >= least && value <= most ? value : null;
  };
  return { watts: field('watts'), gramsPerKwh: field('gramsPerKwh') ?? WORLD_GRAMS_PER_KWH };
}

export function keepAssumptions(keep: Pick<Keep, 'setItem'>, assumptions: EnergyAssumptions): void {
  try {
    keep.setItem(KEY, JSON.stringify(assumptions));
  } catch {
    // The browser's small storage is full: they hold as long as the page is open.
  }
}
