/** What a greedy answer is taken from: a chain, or an engine with the whole model. */
export interface GreedyModel {
  open(): Promise<number>;
  forward(
    session: number,
    input: { tokens: ArrayLike<number> },
  ): Promise<{ logits: Float32Array | null; computeMs: number }>;
  close(session: number): Promise<void>;
}

export interface GreedyRun {
  /** Chosen tokens: one from the prompt and one from each step. */
  tokens: number[];
  prefillMs: number;
  /** Milliseconds of each step, and those of them in engines, the client's own and the hops'. */
  stepMs: number[];
  stepComputeMs: number[];
  /** When the first step began and the last one ended: milliseconds since 1970, as every page of a machine counts. */
  startedAt: number;
  endedAt: number;
}

export interface GreedyOptions {
  /** Called after each token with the number of tokens so far; false ends the run there. */
  onToken?: (count: number) => boolean;
  /** Tokens fed instead of those chosen, so that one different choice does not change what comes after it. */
  feed?: readonly number[];
}

/** A prompt, then `steps` single tokens, each the likeliest, in a session of its own. */
export async function greedyRun(
  model: GreedyModel,
  prompt: readonly number[],
  steps: number,
  { onToken = () => true, feed }: GreedyOptions = {},
): Promise<GreedyRun> {
  const session = await model.open();
  try {
    const start = performance.now();
    const first = await model.forward(session, { tokens: prompt });
    const prompted = performance.now();
    const run: GreedyRun = {
      tokens: [likeliest(first.logits)],
      prefillMs: prompted - start,
      stepMs: [],
      stepComputeMs: [],
      startedAt: performance.timeOrigin + prompted,
      endedAt: performance.timeOrigin + prompted,
    };
    let going = onToken(1);
    for (let step = 0; going && step < steps; step++) {
      const before = performance.now();
      const token = feed ? feed[step]! : run.tokens.at(-1)!;
      const { logits, computeMs } = await model.forward(session, { tokens: [token] });
      const after = performance.now();
      run.tokens.push(likeliest(logits));
      run.stepMs.push(after - before);
      run.stepComputeMs.push(computeMs);
      run.endedAt = performance.timeOrigin + after;
      going = onToken(run.tokens.length);
    }
    return run;
  } finally {
    await model.close(session);
  }
}

/** The first of equal ones, as the sampler takes at temperature 0. */
function likeliest(logits: Float32Array | null): number {
  if (!logits) throw new Error('the model gave no logits');
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
