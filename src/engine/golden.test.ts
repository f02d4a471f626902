import { describe, expect, test } from 'vitest';
import { loadSlice } from './load.ts';
import { relativeRms } from './measure.ts';
import { nodePlatform } from './node-platform.ts';
import { FIXTURES, openFixture } from './testing/fixtures.ts';
import { argmax, goldenReport, runChain } from './testing/golden.ts';

describe.each(FIXTURES)('%s on Node CPU', (name) => {
  test('gives PyTorch’s numbers, and every chain is bit-identical to the whole', async () => {
    const { manifest, weights, expected } = await openFixture(name);
    const report = await goldenReport(manifest, expected, (slice) =>
      loadSlice(nodePlatform, { manifest, slice, weights, maxTokens: 64, measure: false }),
    );
    expect(report.logits).toBeLessThan(1e-4);
    expect(report.greedy).toEqual(expected.greedy);
    expect(report.boundaries).toHaveLength(3);
    for (const boundary of report.boundaries) expect(boundary).toBeLessThan(1e-4);
    expect(report.chains).toHaveLength(6);
    for (const chain of report.chains) expect(chain).toEqual({ cuts: chain.cuts, difference: 0 });
  });

  test('agrees with float32 in a float16 graph', async () => {
    const { manifest, weights, expected } = await openFixture(name);
    const whole = { start: 0, end: 4, embed: true, head: true };
    const half = await loadSlice(nodePlatform, {
      manifest,
      slice: whole,
      weights,
      precision: 'float16',
      maxTokens: 64,
      measure: false,
    });
    const run = await runChain([half], expected.prompt, expected.greedy.length);
    expect(half.info.precision).toBe('float16');
    expect(relativeRms(run.logits[0]!, Float32Array.from(expected.logits_after_prompt))).toBeLessThan(5e-3);
    expect(argmax(run.logits[0]!)).toBe(expected.greedy[0]);
    await half.dispose();
  });
});
