import { relativeRms } from '../measure.ts';
import type { Engine } from '../types.ts';
import { argmax } from './golden.ts';

/** How near one engine's numbers are to another's, along the greedy text of the reference. */
export interface Agreement {
  /** Positions compared, and those at which both would pick the same token. */
  positions: number;
  same: number;
  /** Relative RMS of the logits: over all positions together, and of the worst one. */
  rms: number;
  worst: number;
  /** Where the tokens differ: how far the other's lies below the best, over the distance of best to mean. */
  gaps: number[];
}

/**
 * Lets the reference write, and gives the other the same tokens: errors do not add up over the text, so that the
 * numbers tell of the arithmetic alone. Prompt, single steps and a long input are all in it.
 */
export async function agreement(
  reference: Engine,
  other: Engine,
  prompts: readonly (readonly number[])[],
  steps: number,
): Promise<Agreement> {
  const found: Agreement = { positions: 0, same: 0, rms: 0, worst: 0, gaps: [] };
  for (const prompt of prompts) {
    const expected: Float32Array[] = [];
    const [here, there] = [await reference.open(), await other.open()];
    let input: readonly number[] = prompt;
    const text = [...prompt];
    while (expected.length < steps) {
      const { logits } = await reference.forward(here, { tokens: input });
      expected.push(logits!);
      input = [argmax(logits!)];
      text.push(...input);
    }
    // The prompt and half of the answer at once, the rest step by step.
    const half = prompt.length + (steps >> 1);
    const rows = expected.flatMap((_, at) => (prompt.length - 1 + at < half ? [prompt.length - 1 + at] : []));
    const { logits } = await other.forward(there, { tokens: text.slice(0, half) }, { rows });
    const { vocabulary } = other.info;
    const got = rows.map((_, at) => logits!.subarray(at * vocabulary, (at + 1) * vocabulary));
    for (let at = half; got.length < steps; at++)
      got.push((await other.forward(there, { tokens: [text[at]!] })).logits!);
    expected.forEach((logits, at) => {
      note(found, logits, got[at]!);
    });
    await reference.close(here);
    await other.close(there);
  }
  found.rms = Math.sqrt(found.rms / found.positions);
  return found;
}

function note(found: Agreement, expected: Float32Array, got: Float32Array): void {
  const difference = relativeRms(got, expected);
  found.positions++;
  found.rms += difference ** 2;
  found.worst = Math.max(found.worst, difference);
  const [best, chosen] = [argmax(expected), argmax(got)];
  if (best === chosen) {
    found.same++;
    return;
  }
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  found.gaps.push((expected[best]! - expected[chosen]!) / (expected[best]! - mean));
}
