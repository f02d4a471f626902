import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeRms } from './measure.ts';
import { loadEngine } from './node.ts';
import { type Fixture, openFixture } from './testing/fixtures.ts';
import { argmax } from './testing/golden.ts';
import type { Engine } from './types.ts';

const WHOLE = { start: 0, end: 4, embed: true, head: true };
let fixture: Fixture;
let engine: Engine;

beforeAll(async () => {
  fixture = await openFixture('qwen3');
  const { manifest, weights } = fixture;
  engine = await loadEngine({ manifest, weights, slice: WHOLE, maxTokens: 256 });
});
afterAll(() => engine.dispose());

const tokensFrom = (seed: number, count: number) =>
  Array.from({ length: count }, (_, i) => (seed * 131 + i * 37) % 512);

async function sessionWith(tokens: number[]): Promise<number> {
  const session = await engine.open();
  await engine.forward(session, { tokens });
  return session;
}

describe('sessions', () => {
  test('rolling back and continuing equals never having gone there', async () => {
    const straight = await sessionWith(tokensFrom(1, 20));
    const expected = await engine.forward(straight, { tokens: tokensFrom(2, 7) });
    const wandering = await sessionWith(tokensFrom(1, 20));
    await engine.forward(wandering, { tokens: tokensFrom(9, 90) });
    for (const token of tokensFrom(4, 5)) await engine.forward(wandering, { tokens: [token] });
    await engine.truncate(wandering, 20);
    const actual = await engine.forward(wandering, { tokens: tokensFrom(2, 7) });
    expect(actual.logits).toEqual(expected.logits);
    await engine.close(straight);
    await engine.close(wandering);
  });

  test('eight sessions of different lengths decoded together each get their own tokens', async () => {
    const alone: Float32Array[][] = [];
    const starts = Array.from({ length: 8 }, (_, i) => tokensFrom(i, 3 + 7 * i));
    for (const start of starts) {
      const session = await engine.open();
      let logits = (await engine.forward(session, { tokens: start })).logits!;
      const steps: Float32Array[] = [];
      for (let step = 0; step < 12; step++) {
        logits = (await engine.forward(session, { tokens: [argmax(logits)] })).logits!;
        steps.push(logits);
      }
      alone.push(steps);
      await engine.close(session);
    }
    const sessions = await Promise.all(starts.map(() => engine.open()));
    let next: number[] = [];
    for (const [at, start] of starts.entries())
      next.push(argmax((await engine.forward(sessions[at]!, { tokens: start })).logits!));
    for (let step = 0; step < 12; step++) {
      // A rollback in between makes the joined copy stale: it has to be noticed.
      if (step === 6) {
        await engine.forward(sessions[3]!, { tokens: [7, 8, 9] });
        await engine.truncate(sessions[3]!, starts[3]!.length + 6);
      }
      const outputs = await engine.decode(
        sessions.map((session, at) => ({ session, input: { tokens: [next[at]!] } })),
      );
      outputs.forEach((output, at) => {
        expect(relativeRms(output.logits!, alone[at]![step]!)).toBeLessThan(1e-5);
      });
      next = outputs.map((output) => argmax(output.logits!));
      expect(next).toEqual(alone.map((steps) => argmax(steps[step]!)));
    }
    for (const session of sessions) await engine.close(session);
  });

  test('a long prompt in chunks gives the logits of every row asked for', async () => {
    const { manifest, weights } = fixture;
    const long = await loadEngine({ manifest, weights, slice: WHOLE, maxTokens: 400, measure: false });
    const tokens = tokensFrom(3, 300);
    const session = await long.open();
    const { logits } = await long.forward(session, { tokens }, { rows: [0, 100, 255, 256, 299] });
    expect(logits).toHaveLength(5 * 512);
    const stepwise = await long.open();
    await long.forward(stepwise, { tokens: tokens.slice(0, 256) });
    const { logits: at256 } = await long.forward(stepwise, { tokens: [tokens[256]!] });
    expect(relativeRms(logits!.slice(3 * 512, 4 * 512), at256!)).toBeLessThan(1e-5);
    await long.dispose();
  });

  test('measures itself at load', () => {
    expect(engine.info.speed!.decodeMsPerToken).toBeGreaterThan(0);
    expect(engine.info.speed!.prefillMsPerLayer).toBeGreaterThan(0);
    expect(engine.info.fallbacks).toEqual([]);
  });
});

describe('bad input', () => {
  test.each([
    ['a token outside the vocabulary', { tokens: [512] }, 'bad-input'],
    ['a negative token', { tokens: [-1] }, 'bad-input'],
    ['a fraction of a token', { tokens: [1.5] }, 'bad-input'],
    ['no token', { tokens: [] }, 'bad-input'],
    ['hidden states for a slice with the embedding', { hidden: new Float32Array(64) }, 'bad-input'],
    ['more tokens than the session holds', { tokens: new Array<number>(257).fill(1) }, 'cache-full'],
  ])('%s is refused and the session stays usable', async (_name, input, code) => {
    const session = await sessionWith([1, 2, 3]);
    await expect(engine.forward(session, input)).rejects.toMatchObject({ name: 'EngineError', code });
    await expect(engine.forward(session, { tokens: [4] })).resolves.toMatchObject({ hidden: null });
    await engine.close(session);
  });

  test('not-a-number in a hidden state is refused at the door', async () => {
    const { manifest, weights } = fixture;
    const tail = await loadEngine({
      manifest,
      weights,
      slice: { start: 2, end: 4, embed: false, head: true },
      measure: false,
    });
    const session = await tail.open();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const hidden = new Float32Array(64).fill(0.5);
      hidden[63] = bad;
      await expect(tail.forward(session, { hidden })).rejects.toMatchObject({ code: 'bad-input' });
    }
    await expect(tail.forward(session, { hidden: new Float32Array(63) })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await tail.dispose();
    await expect(tail.forward(session, { hidden: new Float32Array(64) })).rejects.toMatchObject({
      code: 'disposed',
    });
  });

  test('a closed session, a session twice in a batch and a rewind forward are refused', async () => {
    const session = await sessionWith([1, 2, 3]);
    await expect(engine.truncate(session, 4)).rejects.toMatchObject({ code: 'bad-input' });
    const item = { session, input: { tokens: [1] } };
    await expect(engine.decode([item, item])).rejects.toMatchObject({ code: 'bad-input' });
    await engine.close(session);
    await expect(engine.forward(session, { tokens: [1] })).rejects.toMatchObject({ code: 'no-session' });
  });

  test('a budget below the weights is refused before they are read', async () => {
    const { manifest } = fixture;
    await expect(
      loadEngine({
        manifest,
        slice: WHOLE,
        weights: { kind: 'memory', tensors: new Map() },
        memoryLimit: 1000,
      }),
    ).rejects.toMatchObject({ code: 'out-of-memory' });
  });

  test('caches beyond the budget are refused and the others go on', async () => {
    const { manifest, weights } = fixture;
    const small = await loadEngine({
      manifest,
      weights,
      slice: WHOLE,
      maxTokens: 256,
      memoryLimit: engine.info.weightBytes + 100 * engine.info.kvBytesPerToken,
      measure: false,
    });
    const first = await small.open();
    await small.forward(first, { tokens: tokensFrom(1, 30) });
    const second = await small.open();
    await expect(small.forward(second, { tokens: tokensFrom(1, 90) })).rejects.toMatchObject({
      code: 'out-of-memory',
    });
    await expect(small.forward(first, { tokens: [1] })).resolves.toBeDefined();
    await small.dispose();
  });

  test('stopping a prompt leaves the session as it was', async () => {
    const { manifest, weights } = fixture;
    const long = await loadEngine({ manifest, weights, slice: WHOLE, maxTokens: 512, measure: false });
    const session = await long.open();
    await long.forward(session, { tokens: [1, 2, 3] });
    const controller = new AbortController();
    const stopped = long.forward(session, { tokens: tokensFrom(5, 500) }, { signal: controller.signal });
    controller.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    const after = await long.forward(session, { tokens: [4] });
    const fresh = await long.open();
    await long.forward(fresh, { tokens: [1, 2, 3] });
    expect(after.logits).toEqual((await long.forward(fresh, { tokens: [4] })).logits);
    await long.dispose();
  });
});
