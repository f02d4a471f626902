import { expect, test } from 'vitest';
import { encodeTokens } from '../wire/index.ts';
import { Random } from './random.ts';
import { sampleAsSent } from './sample-as-sent.ts';
import { Sampler } from './sampler.ts';
import { parseSampling } from './sampling.ts';

test.each([
  ['a seed', { temperature: 1, top_k: 40, top_p: 0.9, min_p: 0.05, seed: 42 }],
  ['a repetition penalty', { temperature: 0.7, repetition_penalty: 1.3, repetition_window: 8, seed: -5 }],
  ['temperature 0', { temperature: 0, seed: 1 }],
])('a peer that joins at any token chooses what one sampler chooses all along: %s', (_name, settings) => {
  const random = new Random(9);
  const steps = Array.from({ length: 30 }, () => Float32Array.from({ length: 60 }, () => random.next() * 8));
  const parsed = parseSampling(settings);
  const sampler = new Sampler(parsed);
  const said: number[] = [3, 1, 4];
  for (const [drawn, logits] of steps.entries()) {
    const state = {
      temperature: parsed.temperature,
      top_k: parsed.topK,
      top_p: parsed.topP,
      min_p: parsed.minP,
      repetition_penalty: parsed.repetitionPenalty,
      repetition_window: parsed.repetitionWindow,
      seed: parsed.seed!,
      drawn,
      history: encodeTokens(said.slice(-parsed.repetitionWindow)),
    };
    const sent = sampleAsSent(logits, state);
    said.push(sampler.pick(logits, said));
    expect(sent).toBe(said.at(-1));
  }
});
