import { decodeTokens, type SamplingState } from '../wire/index.ts';
import { Sampler } from './sampler.ts';
import { parseSampling } from './sampling.ts';

/**
 * Chooses the next token for a client in light mode, from the state that came with its frame: the token that the
 * client's own sampler would have chosen.
 * @param logits one per token of the vocabulary
 * @throws ChatError `bad-request` for settings out of range, `failed` for logits that are no numbers; WireError
 */
export function sampleAsSent(logits: Float32Array, state: SamplingState): number {
  const sampler = new Sampler(parseSampling(state), undefined, state.drawn);
  return sampler.pick(logits, Array.from(decodeTokens(state.history)));
}
