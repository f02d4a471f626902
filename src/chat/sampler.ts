import { ChatError } from './errors.ts';
import { Random } from './random.ts';
import type { Sampling } from './sampling.ts';

/** Candidates ordered from likely to unlikely, with their logits. */
interface Candidates {
  ids: Int32Array;
  logits: Float64Array;
}

/**
 * Chooses tokens in llama.cpp's order: repetition penalty, top-k, top-p, min-p, temperature, draw. Equal logits order by
 * id, so that a seed means the same text everywhere.
 */
export class Sampler {
  readonly #settings: Sampling;
  readonly #random: Random;
  /** Of the draws: a sampler with the same settings and this seed chooses the same. */
  readonly seed: number;

  /**
   * @param newSeed where a seed comes from when the settings have none
   * @param drawn tokens that were drawn with this seed before: the next one is as if this sampler had drawn them
   */
  constructor(settings: Sampling, newSeed: () => number = randomSeed, drawn = 0) {
    this.#settings = settings;
    this.seed = settings.seed ?? newSeed();
    this.#random = new Random(this.seed);
    // At temperature 0 nothing is drawn, now or later.
    for (let i = 0; i < drawn; i++) this.#random.next();
  }

  /**
   * @param logits one per token of the vocabulary; left as they are
   * @param recent the tokens so far, oldest first
   * @returns a token id
   * @throws ChatError `failed` when a logit is NaN or +infinity, or all are -infinity
   */
  pick(logits: Float32Array, recent: readonly number[]): number {
    const { temperature, topK, topP, minP } = this.#settings;
    const scores = this.#penalised(logits, recent);
    const best = likeliest(scores);
    if (temperature === 0) return best;

    const floor = minP > 0 ? scores[best]! + Math.log(minP) : -Infinity;
    let candidates = topK > 0 && topK < scores.length ? kLikeliest(scores, topK) : null;
    if (topP < 1) candidates = nucleus(scores, candidates, scores[best]!, topP);
    candidates ??= above(scores, floor);
    return this.#draw(candidates, floor, temperature);
  }

  #penalised(logits: Float32Array, recent: readonly number[]): Float32Array {
    const { repetitionPenalty: penalty, repetitionWindow: window } = this.#settings;
    if (penalty === 1 || window === 0) return logits;
    const scores = logits.slice();
    for (const id of new Set(recent.slice(-window))) {
      const score = scores[id];
      if (score !== undefined) scores[id] = score > 0 ? score / penalty : score * penalty;
    }
    return scores;
  }

  #draw({ ids, logits }: Candidates, floor: number, temperature: number): number {
    const top = logits[0]!;
    const weights = logits.map((logit, i) =>
      i === 0 || logit >= floor ? Math.exp((logit - top) / temperature) : 0,
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let left = this.#random.next() * total;
    let last = 0;
    for (let i = 0; i < ids.length; i++) {
      if (weights[i] === 0) continue;
      last = i;
      left -= weights[i]!;
      if (left < 0) break;
    }
    return ids[last]!;
  }
}

/** Index of the largest; the first of equals. */
function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (!(logit < Infinity)) {
      throw new ChatError(
        'failed',
        `The model computed ${logit} for token ${i}. Reload the page; if it stays so, choose another back end or model.`,
      );
    }
    if (logit > logits[best]!) best = i;
  }
  if (logits.length === 0 || logits[best] === -Infinity) {
    throw new ChatError(
      'failed',
      'The model gave no token any probability. Reload the page or choose another model.',
    );
  }
  return best;
}

function above(logits: Float32Array, floor: number): Candidates {
  const ids: number[] = [];
  for (let i = 0; i < logits.length; i++) if (logits[i]! >= floor) ids.push(i);
  return ordered(ids, logits);
}

function ordered(ids: readonly number[], logits: Float32Array): Candidates {
  const sorted = Int32Array.from(ids).sort((a, b) => logits[b]! - logits[a]! || a - b);
  return { ids: sorted, logits: Float64Array.from(sorted, (id) => logits[id]!) };
}

/** The k largest, found with a threshold that is raised as better ones come: one pass over the vocabulary. */
function kLikeliest(logits: Float32Array, k: number): Candidates {
  let kept: number[] = [];
  let threshold = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    // An equal logit with a larger id comes later in the order, so it cannot be among the k.
    if (kept.length >= k && !(logits[i]! > threshold)) continue;
    kept.push(i);
    if (kept.length === k || kept.length >= 4 * k + 64) {
      kept = Array.from(ordered(kept, logits).ids.subarray(0, k));
      threshold = logits[kept.at(-1)!]!;
    }
  }
  const { ids, logits: values } = ordered(kept, logits);
  return { ids: ids.subarray(0, k), logits: values.subarray(0, k) };
}

/** The likeliest tokens that together reach `topP` of the probability of `among` (default: of all). */
function nucleus(logits: Float32Array, among: Candidates | null, top: number, topP: number): Candidates {
  let total = 0;
  if (among) for (const logit of among.logits) total += Math.exp(logit - top);
  else for (const logit of logits) total += Math.exp(logit - top);
  // Sorting 150,000 tokens takes 50 ms; nearly always those within e^-8 of the best are enough.
  for (let reach = 8; ; reach *= 2) {
    const candidates = among ?? above(logits, reach > 512 ? -Infinity : top - reach);
    let sum = 0;
    for (let i = 0; i < candidates.ids.length; i++) {
      sum += Math.exp(candidates.logits[i]! - top);
      if (sum >= topP * total) {
        return { ids: candidates.ids.subarray(0, i + 1), logits: candidates.logits.subarray(0, i + 1) };
      }
    }
    if (among || candidates.ids.length === logits.length) return candidates;
  }
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
