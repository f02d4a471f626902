import { encodeTokens, type SamplingState } from '../wire/index.ts';

/** How the last hop is to choose the next token; light mode. The names are those of `chat/`. */
export interface SampleRequest {
  sampling: {
    temperature: number;
    topK: number;
    topP: number;
    minP: number;
    repetitionPenalty: number;
    repetitionWindow: number;
    /** A safe integer. */
    seed: number;
  };
  /** Tokens that were drawn with this seed before. */
  drawn: number;
  /** Tokens so far, oldest first. */
  history: readonly number[];
  /** Log-probabilities that are wanted with the token: its own, and of this many likeliest ones, 0 to 20. */
  logprobs?: number;
}

/** Only as much of the history leaves this machine as the penalty looks at: none when it is off. */
export function samplingState({ sampling, drawn, history, logprobs }: SampleRequest): SamplingState {
  const { repetitionPenalty, repetitionWindow } = sampling;
  const looksBack = repetitionPenalty !== 1 && repetitionWindow > 0;
  return {
    temperature: sampling.temperature,
    top_k: sampling.topK,
    top_p: sampling.topP,
    min_p: sampling.minP,
    repetition_penalty: repetitionPenalty,
    repetition_window: repetitionWindow,
    seed: sampling.seed,
    drawn,
    history: encodeTokens(looksBack ? history.slice(-repetitionWindow) : []),
    ...(logprobs !== undefined && { logprobs }),
  };
}
