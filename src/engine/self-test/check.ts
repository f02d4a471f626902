import type { ModelConfig } from '../../model/index.ts';
import { createEngine } from '../create.ts';
import { relativeRms } from '../measure.ts';
import type { BackendPlan } from '../platform.ts';
import { EngineError } from '../types.ts';
import { referenceLogits } from './reference.ts';
import { tinyModel } from './tiny-model.ts';

/** Past 31 new tokens in one run a software GPU was seen to compute wrong attention. */
const TOKENS = Array.from({ length: 40 }, (_, i) => (i * 37 + 5) % 96);

/**
 * Runs a tiny model with the block types and the head size at hand, as one prompt, as a prompt after a prompt and
 * by single steps after a rewind, and compares each with plain loops.
 * @throws EngineError `wrong-numbers`
 */
export async function checkNumbers(
  plan: BackendPlan,
  { config }: { config: Pick<ModelConfig, 'headSize'> },
): Promise<void> {
  const model = tinyModel(config.headSize);
  const expected = referenceLogits(model, TOKENS);
  const exact = plan.arithmetic === 'exact' && plan.precision === 'float32';
  const tolerance = exact ? (plan.tolerance ?? 1e-3) : 0.1;
  const engine = await createEngine(
    'node-cpu',
    plan,
    {
      manifest: model.manifest,
      slice: { start: 0, end: 1, embed: true, head: true },
      reader: model,
      maxTokens: TOKENS.length,
    },
    [],
  );
  try {
    const session = await engine.open();
    const feed = async (from: number, to: number) =>
      (await engine.forward(session, { tokens: TOKENS.slice(from, to) })).logits!;
    const check = (way: string, logits: Float32Array) => {
      const difference = relativeRms(logits, expected);
      if (!(difference <= tolerance))
        throw new EngineError(
          'wrong-numbers',
          `this GPU computes wrong numbers (${way}: off by ${difference.toExponential(1)} where ${tolerance} is allowed)`,
        );
    };
    check('a prompt', await feed(0, TOKENS.length));
    await engine.truncate(session, 5);
    check('a prompt after a rewind', await feed(5, TOKENS.length));
    await engine.truncate(session, TOKENS.length - 4);
    let stepped = new Float32Array(0);
    for (let at = TOKENS.length - 4; at < TOKENS.length; at++) stepped = (await feed(at, at + 1)).slice();
    check('single steps', stepped);
  } finally {
    await engine.dispose();
  }
}
