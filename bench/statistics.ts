import type { Measured, Side } from './side.ts';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How much faster A is than B, from times taken in pairs: 2 means half the time. */
export interface Ratio {
  /** Median of B over median of A. */
  ofMedians: number;
  /** Median of B over A within each pair: noise that lasts longer than a pair cancels out. */
  perPair: number;
}

/** @param a milliseconds, round by round */
export function speedRatio(a: readonly number[], b: readonly number[]): Ratio {
  return { ofMedians: median(b) / median(a), perPair: median(a.map((value, round) => b[round]! / value)) };
}

/**
 * Runs the sides in turn (A B A B …), one at a time, after one round each that does not count.
 * @returns per side, its rounds
 */
export async function interleave(
  sides: readonly Side[],
  rounds: number,
  promptTokens: number,
  steps: number,
): Promise<Measured[][]> {
  const results: Measured[][] = sides.map(() => []);
  for (let round = -1; round < rounds; round++)
    for (const [index, side] of sides.entries()) {
      const measured = await side.round(promptTokens, steps);
      if (round >= 0) results[index]!.push(measured);
    }
  return results;
}
