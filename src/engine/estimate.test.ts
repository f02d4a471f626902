import { expect, test } from 'vitest';
import { estimateMemory } from './estimate.ts';
import { loadSlice } from './load.ts';
import { nodePlatform } from './node-platform.ts';
import { openDefaultModel } from './testing/default-model.ts';
import { openFixture } from './testing/fixtures.ts';

test.each([
  ['the whole in floats', { start: 0, end: 4, embed: true, head: true }, {}],
  ['layers without ends', { start: 1, end: 3, embed: false, head: false }, {}],
  ['the head alone', { start: 4, end: 4, embed: false, head: true }, {}],
  ['16-bit floats', { start: 0, end: 4, embed: true, head: true }, { precision: 'float16' }],
] as const)('%s of a fixture take what was said before they were read', async (_name, slice, options) => {
  const { manifest, weights } = await openFixture('qwen3');
  const engine = await loadSlice(nodePlatform, {
    manifest,
    weights,
    slice,
    ...options,
    maxTokens: 64,
    measure: false,
  });
  const { weightBytes, kvBytesPerToken, maxTokens } = engine.info;
  expect(estimateMemory(manifest, slice, 'node-cpu', { ...options, maxTokens: 64 })).toEqual({
    weightBytes,
    kvBytesPerToken,
    maxTokens,
  });
  await engine.dispose();
});

test('a quantised model in parts, packed and multiplied out, takes what was said', async () => {
  const { manifest, weights } = await openDefaultModel();
  const slice = { start: 0, end: 8, embed: true, head: false };
  for (const arithmetic of ['exact', 'fast'] as const) {
    const engine = await loadSlice(nodePlatform, { manifest, weights, slice, arithmetic, measure: false });
    const { weightBytes } = engine.info;
    expect(estimateMemory(manifest, slice, 'node-cpu', { arithmetic }).weightBytes).toBe(weightBytes);
    await engine.dispose();
  }
}, 120_000);

test('threads that do not spin compute the same bits', async () => {
  const { manifest, weights } = await openFixture('qwen3');
  const outputs: Float32Array[] = [];
  for (const spin of [true, false]) {
    const slice = { start: 0, end: 4, embed: true, head: true };
    const options = { manifest, weights, slice, threads: 2, spin, measure: false };
    const engine = await loadSlice(nodePlatform, options);
    const { logits } = await engine.forward(await engine.open(), { tokens: [5, 6, 7, 8] });
    outputs.push(logits!);
    await engine.dispose();
  }
  expect(outputs[1]).toEqual(outputs[0]);
});

test('a GPU of little memory gets the blocks packed', async () => {
  const { manifest, slice } = await openDefaultModel();
  const dense = estimateMemory(manifest, slice, 'node-cuda', { memoryLimit: 8e9 }).weightBytes;
  const packed = estimateMemory(manifest, slice, 'node-cuda', { memoryLimit: 600e6 }).weightBytes;
  const half = estimateMemory(manifest, slice, 'node-cuda', { memoryLimit: 8e9, precision: 'float16' });
  expect(packed).toBeLessThan(dense / 3);
  expect(half.weightBytes).toBeLessThan(0.6 * dense);
});
