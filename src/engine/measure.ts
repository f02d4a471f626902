import type { SliceEngine } from './slice-engine.ts';
import { EngineError, type EngineSpeed, type ForwardInput } from './types.ts';

/**
 * A GPU gets enough positions to reach its many-token kernels (a fault was seen from 32 on). A CPU is trusted and
 * only timed; on a software GPU a step takes seconds.
 */
const POSITIONS = { gpu: 40, cpu: 16, software: 4 };
/** Relative RMS between the two ways to the same state: rounding gives 1e-6; int8 activations and float16 give 5e-2. */
const TOLERANCE = { exact: 1e-3, rounded: 0.15 };

/**
 * Times a prompt and single steps on the loaded weights, and compares their results: both paths must lead to the
 * same state, so that a GPU whose kernels disagree is found before it answers anybody.
 * @throws EngineError `wrong-numbers`
 */
export async function measure(engine: SliceEngine, kind: keyof typeof POSITIONS): Promise<EngineSpeed> {
  const { info } = engine;
  const positions = Math.min(POSITIONS[kind], info.maxTokens);
  const layers = Math.max(1, info.slice.end - info.slice.start);
  const session = await engine.open();
  try {
    await engine.forward(session, probeInput(info, 0, 1));
    await engine.truncate(session, 0);

    // Both run once more before they count: the first run of a shape compiles shaders and grows buffers.
    let prefillMs = 0;
    let prompt = new Float32Array(0);
    for (let round = 0; round < (kind === 'software' ? 1 : 2); round++) {
      await engine.truncate(session, 0);
      const result = await engine.forward(session, probeInput(info, 0, positions));
      prefillMs = result.computeMs;
      prompt = lastRow(result.logits ?? result.hidden!, info.slice.head ? info.vocabulary : info.width);
    }

    await engine.truncate(session, 0);
    const stepMs: number[] = [];
    let stepped = prompt;
    for (let position = 0; position < positions; position++) {
      const result = await engine.forward(session, probeInput(info, position, position + 1));
      stepMs.push(result.computeMs);
      stepped = lastRow(result.logits ?? result.hidden!, info.slice.head ? info.vocabulary : info.width);
    }
    const exact = info.arithmetic === 'exact' && info.precision === 'float32';
    const difference = relativeRms(prompt, stepped);
    if (!(difference <= (exact ? TOLERANCE.exact : TOLERANCE.rounded)))
      throw new EngineError(
        'wrong-numbers',
        `a prompt and single steps differ by ${difference.toExponential(1)}, so this back end computes wrong numbers`,
      );
    const decodeMsPerToken = median(stepMs.slice(positions >> 1));
    const prefillMsPerToken = prefillMs / positions;
    return {
      decodeMsPerToken,
      prefillMsPerToken,
      decodeMsPerLayer: decodeMsPerToken / layers,
      prefillMsPerLayer: prefillMsPerToken / layers,
    };
  } finally {
    await engine.close(session);
  }
}

/** Fixed token ids, or hidden states of unit variance: any will do, as long as both paths get the same. */
function probeInput(info: SliceEngine['info'], from: number, to: number): ForwardInput {
  const positions = Array.from({ length: to - from }, (_, i) => from + i);
  if (info.slice.embed)
    return { tokens: positions.map((position) => (position * 7919 + 13) % info.vocabulary) };
  return {
    hidden: Float32Array.from(
      positions.flatMap((position) =>
        Array.from({ length: info.width }, (_, i) => Math.SQRT2 * Math.sin(position * 12.9898 + i * 78.233)),
      ),
    ),
  };
}

function lastRow(values: Float32Array, width: number): Float32Array<ArrayBuffer> {
  return values.slice(values.length - width);
}

/** Root of the mean squared difference over the root of the mean square of `b`. */
export function relativeRms(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
