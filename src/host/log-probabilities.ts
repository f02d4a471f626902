/** Log-probabilities of one token, of the model's own distribution: temperature 1, nothing cut off. */
export interface TokenLogprobs {
  /** Natural logarithm of the probability of the token itself. */
  logprob: number;
  /** The likeliest tokens, likeliest first; of equals the one with the smaller id. */
  top: { id: number; logprob: number }[];
}

/** What stands for a probability of zero: messages carry numbers only. */
const LEAST = -3.4e38;

/**
 * log softmax of the logits, summed in float64: in float32 the sum over a large vocabulary is off in the fifth digit.
 * @param logits one per token of the vocabulary
 * @param top how many alternatives
 */
export function logProbabilities(logits: Float32Array, token: number, top: number): TokenLogprobs {
  let most = -Infinity;
  for (const logit of logits) if (logit > most) most = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  const base = most + Math.log(sum);
  const logprob = (id: number) => Math.min(0, Math.max(LEAST, logits[id]! - base));
  return {
    logprob: logprob(token),
    top: likeliest(logits, top).map((id) => ({ id, logprob: logprob(id) })),
  };
}

/** Ids of the `count` largest, in order; a handful out of a whole vocabulary, so each is put where it belongs. */
function likeliest(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length && count > 0; id++) {
    const logit = logits[id]!;
    if (best.length === count && !(logit > logits[best.at(-1)!]!)) continue;
    let at = best.length;
    while (at > 0 && logit > logits[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
