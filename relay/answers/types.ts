import type { ChainHop } from '../../src/chain/index.ts';
import type { ChatMessage, Sampling } from '../../src/chat/index.ts';

/** A model that questions can be asked of. */
export interface AnswerableModel {
  /** Id as listed, and its cid; a request may name either. */
  id: string;
  cid: string;
  /** Seconds since 1970 at which it was put on the shelf. */
  created: number;
  /** Most tokens of one conversation, the answer included. */
  maxTokens: number;
}

/**
 * `own`: this relay's slices alone. `network`: peers that share; what nobody shares is run here. `auto`: the network
 * when peers other than this relay hold any layers of the model, else the own slices. Whatever the route, a hop that
 * is lost in mid-answer is replaced, by the own slices when nobody else is left, and the text is the same.
 */
export type RouteWanted = 'auto' | 'own' | 'network';

/** A checked question. */
export interface Question {
  /** Id or cid. */
  model: string;
  /** A conversation, or raw text to be continued (no template). */
  prompt: { messages: readonly ChatMessage[] } | { text: string };
  sampling: Sampling;
  /** Most tokens of the answer; undefined for what the context leaves. */
  maxTokens: number | undefined;
  stop: readonly string[];
  /** Alternatives per token to tell the logarithms of, 0 to 20; null for none at all. */
  logprobs: number | null;
  route: RouteWanted;
  /** A conversation that is continued by the same client finds its caches again. Not a secret: a hash. */
  client: string;
}

export interface TokenLogprob {
  id: number;
  /** The token alone, as bytes: it may be half a character. */
  bytes: Uint8Array;
  /** Natural logarithm, of the model's own distribution (temperature 1, nothing cut off). */
  logprob: number;
}

export type AnswerEvent =
  /** Before the first token: who runs it, for the headers. Again after a recovery. */
  | { type: 'route'; route: 'own' | 'network'; hops: ChainHop[] }
  /** Tokens of the prompt computed, of those that had to be. */
  | { type: 'prefill'; done: number; total: number }
  | {
      type: 'token';
      id: number;
      /** May be empty: a character is not whole yet, or it may be the beginning of a stop string. */
      text: string;
      /** When they were asked for. */
      logprob?: TokenLogprob & { top: TokenLogprob[] };
    }
  | {
      type: 'done';
      reason: 'stop' | 'length';
      /** Text that was held back until the end. */
      text: string;
      usage: { prompt: number; cached: number; completion: number };
      timings: {
        firstTokenMs: number | null;
        computeMs: number;
        wireMs: number;
        /** Of finding and opening the chain. */
        findMs: number;
      };
      recoveries: number;
    };

export type AnswerErrorCode =
  /** No such model here; the message lists those that are. */
  | 'no-model'
  /** It is being fetched or loaded; try again later. */
  | 'not-ready'
  | 'context-full'
  /** The question contradicts itself or the model: no template, logprobs where nobody here sees logits, … */
  | 'bad-question'
  /** Layers that nobody holds. */
  | 'no-peers'
  /** No room for another conversation now. */
  | 'busy'
  | 'aborted'
  | 'stopping'
  | 'failed';

/** The one error class of `answers/`. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  constructor(
    readonly code: AnswerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Answers questions over slices: the relay's own or those of the network. Knows nothing of HTTP, keys or queues. */
export interface Answers {
  models(): AnswerableModel[];
  /**
   * One answer. Stopping to read, or the signal, ends the work within a step; the caches are kept for the next question
   * of the conversation. Ends with exactly one `done`, or throws.
   * @throws AnswerError
   */
  ask(question: Question, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void>;
  status(): { running: number; openChains: number };
  close(): Promise<void>;
}
