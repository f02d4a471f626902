import { expect, test } from 'vitest';
import {
  MemorySource,
  makeManifest,
  openModelFiles,
  readerOfSources,
  type TensorType,
} from '../model/index.ts';
import { loadSlice } from './load.ts';
import { relativeRms } from './measure.ts';
import { nodePlatform } from './node-platform.ts';
import type { Platform } from './platform.ts';
import { quantisedModel } from './testing/quantised-model.ts';

const TOKENS = Array.from({ length: 24 }, (_, i) => (i * 29 + 3) % 128);
const BLOCK_TYPES: TensorType[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'];

/** Logits after a prompt and two single steps, with the matrices in the given form. */
async function logitsOf(types: TensorType[], linear: 'blocks' | 'dense', accuracyLevel: 0 | 4 = 0) {
  const opened = await openModelFiles([new MemorySource('model.gguf', quantisedModel(types))]);
  const { manifest } = await makeManifest(opened);
  const platform: Platform = {
    ...nodePlatform,
    openWeights: async () => readerOfSources(manifest, opened.sources),
    plan: async (backend, request) => {
      const plan = await nodePlatform.plan(backend, request);
      return { ...plan, form: { ...plan.form, linear, accuracyLevel } };
    },
  };
  const engine = await loadSlice(platform, {
    manifest,
    slice: { start: 0, end: 2, embed: true, head: true },
    weights: { kind: 'files', files: [] },
    measure: false,
  });
  const session = await engine.open();
  await engine.forward(session, { tokens: TOKENS });
  await engine.forward(session, { tokens: [5] });
  const { logits } = await engine.forward(session, { tokens: [6] });
  await engine.dispose();
  return logits!;
}

test.each(BLOCK_TYPES)('%s blocks compute what the multiplied-out weights compute', async (type) => {
  const dense = await logitsOf([type], 'dense');
  expect(relativeRms(await logitsOf([type], 'blocks'), dense)).toBeLessThan(1e-5);
  // int8 activations: near, and not exact, or the level was not taken.
  const rounded = relativeRms(await logitsOf([type], 'blocks', 4), dense);
  expect(rounded).toBeGreaterThan(1e-6);
  expect(rounded).toBeLessThan(0.1);
});

test('matrices of different types in one layer are joined only where they can be', async () => {
  const mixed: TensorType[] = ['Q8_0', 'Q4_K', 'Q6_K', 'F16', 'Q5_K', 'BF16', 'Q4_1', 'F32', 'Q5_1', 'Q5_0'];
  expect(relativeRms(await logitsOf(mixed, 'blocks'), await logitsOf(mixed, 'dense'))).toBeLessThan(1e-5);
});
