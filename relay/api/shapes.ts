import type { AnswerEvent, TokenLogprob } from '../answers/types.ts';

/** What an answer says about how it came about, beside OpenAI's fields. Peers are not named. */
export interface ShoalDetails {
  route: 'own' | 'network';
  hops: {
    start: number;
    /** Exclusive. */
    end: number;
    path: string;
    backend: string;
    round_trip_ms: number | null;
  }[];
  /** Hops lost and replaced in the middle of the answer. */
  recoveries: number;
  /** Milliseconds. */
  timings: {
    queue_ms: number;
    find_ms: number;
    first_token_ms: number | null;
    compute_ms: number;
    wire_ms: number;
  };
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

export type FinishReason = 'stop' | 'length';
export type TokenEvent = Extract<AnswerEvent, { type: 'token' }>;

/** Fields that every object of one answer has. */
export interface Head {
  id: string;
  created: number;
  model: string;
  system_fingerprint: string;
}

/** Turns an answer into OpenAI's objects. One instance serves one answer. */
export interface Shape {
  /** Chunks before the first token. */
  begin(): object[];
  /** Null for a token that has nothing to show yet. */
  token(event: TokenEvent): object | null;
  /** The chunks that end it; `text` is what was held back. */
  end(text: string, reason: FinishReason): object[];
  /** The chunk with `stream_options.include_usage`. */
  usage(usage: Usage): object;
  /** The object of an answer that is not streamed, out of the tokens told before. */
  whole(reason: FinishReason, usage: Usage): object;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A token's bytes as text; of half a character, the bytes written out as OpenAI does it. */
export function tokenText(bytes: Uint8Array, prefix = ''): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return prefix + Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}

export interface ChatTokenLogprob {
  token: string;
  logprob: number;
  bytes: number[];
}

/** JSON has no minus infinity; OpenAI writes -9999 for what has no probability. */
export function finite(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : -9999;
}

export function chatLogprob({ bytes, logprob }: TokenLogprob): ChatTokenLogprob {
  return { token: tokenText(bytes), logprob: finite(logprob), bytes: [...bytes] };
}
