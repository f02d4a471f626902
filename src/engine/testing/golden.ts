import type { Manifest, Slice } from '../../model/index.ts';
import { relativeRms } from '../measure.ts';
import type { Engine } from '../types.ts';

/** `expected.json` beside a fixture: PyTorch, float32, eager attention. */
export interface Expected {
  prompt: number[];
  greedy: number[];
  logits_after_prompt: number[];
  hidden_entering_layer_at_last_prompt_position: number[][];
}

export interface GoldenReport {
  /** Relative RMS of the logits after the prompt. */
  logits: number;
  greedy: number[];
  /** Relative RMS of the hidden state entering each layer after the first. */
  boundaries: number[];
  /** Largest relative RMS between a chain's logits and the whole's, prompt and every step; 0 is bit-identical. */
  chains: { cuts: number[]; difference: number }[];
}

/** Loads a slice of the model under test on the back end under test. */
export type LoadSlice = (slice: Slice) => Promise<Engine>;

/**
 * Everything issue and design promise of one model on one back end, as numbers: against PyTorch, and every two- and
 * three-way chain against the whole. Runs in Node and in a page alike.
 */
export async function goldenReport(
  { config }: Manifest,
  expected: Expected,
  load: LoadSlice,
  chainSteps = 6,
): Promise<GoldenReport> {
  // Chains share their slices: a GPU takes far longer to make one ready than to run it. Each has sessions of its own.
  const loaded = new Map<string, Engine>();
  const sliceAt = async (start: number, end: number): Promise<Engine> => {
    const name = `${start}-${end}`;
    const engine = loaded.get(name) ?? (await load(sliceOf(config.layers, start, end)));
    loaded.set(name, engine);
    return engine;
  };
  const whole = await sliceAt(0, config.layers);
  const run = await runChain([whole], expected.prompt, expected.greedy.length);
  const report: GoldenReport = {
    logits: relativeRms(run.logits[0]!, Float32Array.from(expected.logits_after_prompt)),
    greedy: run.tokens,
    boundaries: [],
    chains: [],
  };
  for (const cuts of allCuts(config.layers)) {
    const edges = [0, ...cuts, config.layers];
    const chain: Engine[] = [];
    for (let hop = 0; hop + 1 < edges.length; hop++) chain.push(await sliceAt(edges[hop]!, edges[hop + 1]!));
    const chained = await runChain(chain, expected.prompt, chainSteps);
    report.chains.push({
      cuts,
      difference: Math.max(...chained.logits.map((logits, step) => relativeRms(logits, run.logits[step]!))),
    });
    if (cuts.length === 1) {
      const entering = expected.hidden_entering_layer_at_last_prompt_position[cuts[0]!]!;
      report.boundaries.push(
        relativeRms(chained.hiddenAfterPrompt[0]!.slice(-config.width), Float32Array.from(entering)),
      );
    }
  }
  for (const engine of loaded.values()) await engine.dispose();
  return report;
}

function sliceOf(layers: number, start: number, end: number): Slice {
  return { start, end, embed: start === 0, head: end === layers };
}

function allCuts(layers: number): number[][] {
  const cuts: number[][] = [];
  for (let first = 1; first < layers; first++) {
    cuts.push([first]);
    for (let second = first + 1; second < layers; second++) cuts.push([first, second]);
  }
  return cuts;
}

/** Greedy steps through a line of slices. */
export async function runChain(chain: readonly Engine[], prompt: readonly number[], steps: number) {
  const sessions = await Promise.all(chain.map((engine) => engine.open()));
  const hiddenAfterPrompt: Float32Array[] = [];
  const logits: Float32Array[] = [];
  const tokens: number[] = [];
  let input: readonly number[] = prompt;
  for (let step = 0; step < steps; step++) {
    let output = await chain[0]!.forward(sessions[0]!, { tokens: input });
    for (let hop = 1; hop < chain.length; hop++) {
      if (step === 0) hiddenAfterPrompt.push(output.hidden!.slice());
      output = await chain[hop]!.forward(sessions[hop]!, { hidden: output.hidden! });
    }
    logits.push(output.logits!);
    const token = argmax(output.logits!);
    tokens.push(token);
    input = [token];
  }
  for (const [hop, engine] of chain.entries()) await engine.close(sessions[hop]!);
  return { tokens, logits, hiddenAfterPrompt };
}

export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
