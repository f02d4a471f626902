import type { Chain, ChainHop } from '../../src/chain/index.ts';
import {
  type ChatMessage,
  Dialogue,
  type Line,
  type Sampling,
  type TurnEvent,
  type TurnModel,
} from '../../src/chat/index.ts';
import type { Clock } from '../../src/swarm/index.ts';
import type { Meters } from '../watch/types.ts';
import { aborted } from './errors.ts';
import type { PreparedModel } from './prepared-models.ts';
import type { AnswerEvent, TokenLogprob } from './types.ts';

export type RouteTaken = 'own' | 'network';

/** Who runs a chain, kept up to date by its events. */
export interface RouteNews {
  hops: ChainHop[];
  /** Nobody was told of these hops yet. */
  untold: boolean;
}

/** One turn of a conversation. */
export interface Turn {
  /** Of the whole prompt. */
  tokens: readonly number[];
  sampling: Sampling;
  maxTokens: number | undefined;
  stop: readonly string[];
  logprobs: number | null;
  /** Clock times: when the question came, and how much of that went into finding and opening the chain. */
  started: number;
  findMs: number;
}

export interface ConversationParts {
  model: PreparedModel;
  route: RouteTaken;
  client: string;
  capacity: number;
  chain: Chain;
  /** A session that is open on the chain already. */
  session: number;
  news: RouteNews;
  clock: Clock;
  meters: Meters;
  /** Gives back what the chain uses. */
  done: () => void;
}

/** A chain with one session, and the conversation that its caches hold. */
export class Conversation implements Line {
  readonly cid: string;
  readonly privacy: RouteTaken;
  readonly client: string;
  readonly capacity: number;
  messages: readonly ChatMessage[] = [];
  /** Prompt and answer, when the prompt was raw text; else null. */
  text: string | null = null;
  usedAt = 0;
  /** Ends the timer that closes it. */
  cancelIdle: () => void = () => undefined;
  readonly #dialogue: Dialogue;
  /** The first token of the turn is out: what comes are steps. */
  #stepping = false;
  #findMs = 0;
  #closing: Promise<void> | null = null;

  constructor(private readonly parts: ConversationParts) {
    const { model, route, client, capacity } = parts;
    this.cid = model.served.cid;
    this.privacy = route;
    this.client = client;
    this.capacity = capacity;
    this.#dialogue = new Dialogue(
      this.#turnModel(parts.session),
      model.tokenizer,
      model.template,
      parts.clock,
    );
  }

  /** @throws AnswerError `aborted`; ChainError, ChatError, EngineError */
  async *answer(turn: Turn, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void> {
    const { chain, news, meters, clock, route } = this.parts;
    const before = chain.status();
    let firstTokenMs: number | null = null;
    this.#stepping = false;
    this.#findMs = turn.findMs;
    news.untold = true;
    try {
      const events = this.#dialogue.run(
        { tokens: turn.tokens },
        {
          sampling: turn.sampling,
          maxTokens: turn.maxTokens,
          stop: turn.stop,
          signal,
          ...(turn.logprobs !== null && { logprobs: turn.logprobs }),
        },
      );
      for await (const event of events) {
        if (news.untold) {
          news.untold = false;
          yield { type: 'route', route, hops: news.hops };
        }
        if (event.type === 'token' && firstTokenMs === null) {
          firstTokenMs = clock.now() - turn.started;
          this.#stepping = true;
          meters.observe('shoal_first_token_seconds', { route }, firstTokenMs / 1000);
        }
        if (event.type !== 'done') {
          yield event.type === 'token' ? this.#token(event) : event;
          continue;
        }
        if (event.reason === 'aborted') throw aborted();
        const now = chain.status();
        meters.count('shoal_answers_total', { route });
        yield {
          type: 'done',
          // What the context leaves is a length as well.
          reason: event.reason === 'stop' ? 'stop' : 'length',
          text: event.text,
          usage: {
            prompt: event.usage.prompt_tokens,
            cached: event.cachedTokens,
            completion: event.usage.completion_tokens,
          },
          timings: {
            firstTokenMs,
            computeMs: now.computeMs - before.computeMs,
            wireMs: now.wireMs - before.wireMs,
            findMs: this.#findMs,
          },
          recoveries: now.recoveries - before.recoveries,
        };
      }
    } finally {
      const recoveries = chain.status().recoveries - before.recoveries;
      if (recoveries > 0) meters.count('shoal_recoveries_total', {}, recoveries);
    }
  }

  /** Ends it, whatever is under way, and frees its caches everywhere. Never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.cancelIdle();
    await this.#dialogue.close();
    await this.parts.chain.dispose();
    this.parts.done();
  }

  #token({ id, text, logprobs }: Extract<TurnEvent, { type: 'token' }>): AnswerEvent {
    if (!logprobs) return { type: 'token', id, text };
    const { tokenizer } = this.parts.model;
    const told = (one: { id: number; logprob: number }): TokenLogprob => ({
      id: one.id,
      bytes: tokenizer.bytes(one.id),
      logprob: one.logprob,
    });
    return {
      type: 'token',
      id,
      text,
      logprob: { ...told({ id, logprob: logprobs.logprob }), top: logprobs.top.map(told) },
    };
  }

  /** The chain as the dialogue sees it; its steps are measured on the way. */
  #turnModel(opened: number): TurnModel {
    const { chain, clock } = this.parts;
    let ready: number | null = opened;
    return {
      info: chain.info,
      open: async (options) => {
        const session = ready;
        ready = null;
        if (session !== null) return session;
        const started = clock.now();
        const another = await chain.open(options);
        this.#findMs += clock.now() - started;
        return another;
      },
      forward: async (session, input, options) => {
        const started = clock.now();
        const output = await chain.forward(session, input, options);
        if (this.#stepping) this.#measure(clock.now() - started, output.hopMs);
        return output;
      },
      truncate: (session, length) => chain.truncate(session, length),
      close: (session) => chain.close(session),
    };
  }

  #measure(stepMs: number, hopMs: readonly number[]): void {
    const { meters, route, news } = this.parts;
    meters.observe('shoal_step_seconds', { route }, stepMs / 1000);
    hopMs.forEach((ms, at) => {
      meters.observe('shoal_hop_seconds', { path: news.hops[at]?.path ?? 'none' }, ms / 1000);
    });
  }
}
