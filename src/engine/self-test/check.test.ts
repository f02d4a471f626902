import { expect, test } from 'vitest';
import { loadSlice } from '../load.ts';
import { nodePlatform } from '../node-platform.ts';
import type { BackendPlan, Platform } from '../platform.ts';
import type { SliceRunner } from '../runtime/runner.ts';
import { openFixture } from '../testing/fixtures.ts';
import type { Arithmetic, Precision } from '../types.ts';
import { checkNumbers } from './check.ts';

const plan = (arithmetic: Arithmetic = 'exact', precision: Precision = 'float32') =>
  nodePlatform.plan('node-cpu', { arithmetic, precision, threads: 2, denseBytes: 0 });

/** A back end whose attention goes wrong from 32 new positions on, as a software GPU's was seen to. */
function faulty(good: BackendPlan): BackendPlan {
  return {
    ...good,
    gpu: true,
    async makeRunner(session, shape, maxTokens) {
      const runner = await good.makeRunner(session, shape, maxTokens);
      return {
        batches: runner.batches,
        newCache: () => runner.newCache(),
        dispose: () => runner.dispose(),
        async run(caches, hidden, steps, rows) {
          const result = await runner.run(caches, hidden, steps, rows);
          return steps >= 32 ? result.map((value, i) => value * (1 + 0.01 * (i % 3))) : result;
        },
      } satisfies SliceRunner;
    },
  };
}

test.each<[Arithmetic, Precision]>([
  ['exact', 'float32'],
  ['fast', 'float32'],
  ['exact', 'float16'],
])('a back end that computes right passes, %s in %s', async (arithmetic, precision) => {
  const { manifest } = await openFixture('llama-tied');
  await expect(checkNumbers(await plan(arithmetic, precision), manifest)).resolves.toBeUndefined();
});

test.each([16, 32, 64, 96, 128, 256])('heads of %i values are tested too', async (headSize) => {
  const { manifest } = await openFixture('llama-tied');
  const config = { ...manifest.config, headSize };
  await expect(checkNumbers(await plan(), { ...manifest, config })).resolves.toBeUndefined();
});

test('a back end that computes wrong numbers is refused', async () => {
  const { manifest } = await openFixture('llama-tied');
  await expect(checkNumbers(faulty(await plan()), manifest)).rejects.toMatchObject({ code: 'wrong-numbers' });
});

test('loading falls back to the next back end and says why', async () => {
  const { manifest, weights } = await openFixture('llama-tied');
  const platform: Platform = {
    ...nodePlatform,
    plan: async (backend, request) => {
      const good = await nodePlatform.plan('node-cpu', request);
      return backend === 'webgpu' ? faulty(good) : good;
    },
  };
  const engine = await loadSlice(platform, {
    manifest,
    weights,
    slice: { start: 0, end: 4, embed: true, head: true },
    backends: ['webgpu', 'node-cpu'],
  });
  expect(engine.info.backend).toBe('node-cpu');
  expect(engine.info.fallbacks).toEqual([expect.stringContaining('webgpu: this GPU computes wrong numbers')]);
  await engine.dispose();
});

test('when nothing runs, every reason is given', async () => {
  const { manifest, weights } = await openFixture('llama-tied');
  await expect(
    loadSlice(nodePlatform, {
      manifest,
      weights,
      slice: { start: 0, end: 4, embed: true, head: true },
      backends: ['jspi', 'webgpu'],
    }),
  ).rejects.toMatchObject({
    code: 'no-backend',
    message: expect.stringContaining('jspi does not exist in Node'),
  });
});
