import { describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import { Sampler } from './sampler.ts';
import { parseSampling, type Sampling } from './sampling.ts';

const off: Sampling = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  repetitionWindow: 64,
  seed: 7,
};

function randomLogits(size: number, seed: number): Float32Array {
  const random = new Random(seed);
  // Coarse steps, so that equal logits are met.
  return Float32Array.from({ length: size }, () => Math.round(random.next() * 40) / 4 - 5);
}

/** The distribution written down directly: sort, cut, cut, cut, scale. */
function expected(logits: Float32Array, settings: Sampling): number[] {
  const softmax = (values: { id: number; logit: number }[], temperature: number) => {
    const top = Math.max(...values.map(({ logit }) => logit));
    const weights = values.map(({ logit }) => Math.exp((logit - top) / temperature));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };
  let kept = Array.from(logits, (logit, id) => ({ id, logit })).sort(
    (a, b) => b.logit - a.logit || a.id - b.id,
  );
  if (settings.topK > 0) kept = kept.slice(0, settings.topK);
  if (settings.topP < 1) {
    const probabilities = softmax(kept, 1);
    let sum = 0;
    const end = probabilities.findIndex((p) => {
      sum += p;
      return sum >= settings.topP;
    });
    if (end >= 0) kept = kept.slice(0, end + 1);
  }
  const probabilities = softmax(kept, 1);
  kept = kept.filter((_, i) => probabilities[i]! >= settings.minP * probabilities[0]! * (1 - 1e-12));
  const result = new Array<number>(logits.length).fill(0);
  softmax(kept, settings.temperature).forEach((p, i) => {
    result[kept[i]!.id] = p;
  });
  return result;
}

const cases: [string, Partial<Sampling>][] = [
  ['temperature 1', {}],
  ['temperature 0.3', { temperature: 0.3 }],
  ['temperature 2', { temperature: 2 }],
  ['top-k 5', { topK: 5 }],
  ['top-p 0.7', { topP: 0.7 }],
  ['top-p 0', { topP: 0 }],
  ['min-p 0.2', { minP: 0.2 }],
  ['all together', { temperature: 0.8, topK: 20, topP: 0.9, minP: 0.05 }],
];

describe('the sampler', () => {
  test.each(cases)('draws from the distribution of %s', (_, change) => {
    const settings = { ...off, ...change };
    for (const size of [1, 3, 60]) {
      const logits = randomLogits(size, 11);
      const want = expected(logits, settings);
      const sampler = new Sampler(settings);
      const draws = 10_000;
      const counts = new Array<number>(size).fill(0);
      for (let i = 0; i < draws; i++) counts[sampler.pick(logits, [])]!++;
      counts.forEach((count, id) => {
        const p = want[id]!;
        if (p === 0) expect(count).toBe(0);
        // Five standard deviations: one in 10^6 for each of the 500 figures.
        else expect(Math.abs(count - draws * p)).toBeLessThan(5 * Math.sqrt(draws * p * (1 - p)) + 1e-6);
      });
    }
  });

  test('keeps the same tokens of a large vocabulary as a full sort', () => {
    const logits = randomLogits(50_000, 5).map((logit) => logit * 2);
    for (const change of [{ topK: 40 }, { topK: 1000, topP: 0.5 }, { topP: 0.95 }, { topP: 0.999999 }]) {
      const settings = { ...off, ...change };
      const want = expected(logits, settings);
      const sampler = new Sampler(settings);
      for (let i = 0; i < 40; i++) expect(want[sampler.pick(logits, [])]).toBeGreaterThan(0);
    }
  });

  test('temperature 0 takes the likeliest, the first of equals', () => {
    const sampler = new Sampler({ ...off, temperature: 0 });
    expect(sampler.pick(Float32Array.of(1, 5, 5, -Infinity), [])).toBe(1);
  });

  test('the same seed gives the same tokens, another seed others', () => {
    const logits = randomLogits(1000, 3);
    const draw = (seed: number) => {
      const sampler = new Sampler({ ...off, seed });
      return Array.from({ length: 50 }, () => sampler.pick(logits, []));
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
    expect(draw(42 + 2 ** 40)).not.toEqual(draw(42));
  });

  test('the generator is xoshiro128** 1.1', () => {
    // An independent transcription with BigInt.
    const random = new Random(1);
    const mask = 0xffffffffn;
    const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
    let mix = 1n;
    const s = Array.from({ length: 4 }, () => {
      mix = (mix + 0x9e3779b9n) & mask;
      let z = mix;
      z = ((z ^ (z >> 16n)) * 0x85ebca6bn) & mask;
      z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & mask;
      return z ^ (z >> 16n);
    });
    for (let i = 0; i < 100; i++) {
      const want = (rotate((s[1]! * 5n) & mask, 7n) * 9n) & mask;
      const t = (s[1]! << 9n) & mask;
      s[2]! ^= s[0]!;
      s[3]! ^= s[1]!;
      s[1]! ^= s[2]!;
      s[0]! ^= s[3]!;
      s[2]! ^= t;
      s[3] = rotate(s[3]!, 11n);
      expect(random.bits()).toBe(Number(want));
    }
  });

  test('the repetition penalty makes recent tokens less likely, and only those in its window', () => {
    const sampler = new Sampler({ ...off, temperature: 0, repetitionPenalty: 2, repetitionWindow: 2 });
    expect(sampler.pick(Float32Array.of(4, 3, -1), [0])).toBe(1);
    expect(sampler.pick(Float32Array.of(4, 3, -1), [0, 2, 2])).toBe(0);
    expect(sampler.pick(Float32Array.of(-1, -1.5, -3), [0, 0])).toBe(1);
  });

  test.each([[Number.NaN], [Infinity]])('refuses logits with %s', (bad) => {
    const logits = Float32Array.of(1, bad, 2);
    for (const temperature of [0, 1]) {
      const sampler = new Sampler({ ...off, temperature });
      expect(() => sampler.pick(logits, [])).toThrow(expect.objectContaining({ code: 'failed' }));
    }
    const none = Float32Array.of(-Infinity, -Infinity);
    expect(() => new Sampler(off).pick(none, [])).toThrow(expect.objectContaining({ code: 'failed' }));
  });
});

describe('sampling parameters', () => {
  test.each([
    ['temperature', 2.1],
    ['temperature', -1],
    ['temperature', Number.NaN],
    ['temperature', '1'],
    ['top_p', 1.5],
    ['top_k', 1.5],
    ['top_k', -1],
    ['min_p', 2],
    ['repetition_penalty', 0],
    ['repetition_window', 1e9],
    ['seed', 1.5],
    ['seed', 2 ** 60],
  ])('an absurd "%s" (%s) is refused by name', (name, value) => {
    expect(() => parseSampling({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'bad-request', message: expect.stringContaining(`"${name}"`) }),
    );
  });

  test('what is left out has a default', () => {
    expect(parseSampling({ temperature: 0.5, seed: 3, top_k: null })).toMatchObject({
      temperature: 0.5,
      seed: 3,
      topK: 40,
    });
  });
});
