import { logProbabilities, type TokenLogprobs } from '../host/index.ts';
import { ChatError } from './errors.ts';
import type { ChatMessage } from './messages.ts';
import { Progress } from './progress.ts';
import { Sampler } from './sampler.ts';
import type { Sampling } from './sampling.ts';
import { Step, type StepFigures, type TurnStep } from './steps.ts';
import { StopStrings } from './stop-strings.ts';
import type { ChatTemplate } from './template.ts';
import type { Tokenizer, TokenStream } from './tokenizer.ts';

/** What a turn is run on: an engine that holds the whole model, or a chain of hops. */
export interface TurnModel {
  /**
   * `maxTokens`: most tokens that one session may hold. `chunkTokens`: most tokens of one forward call; a chain takes a
   * whole prompt, for it cuts and overlaps it itself.
   */
  readonly info: { readonly maxTokens: number; readonly chunkTokens?: number };
  open(options?: { maxTokens?: number; signal?: AbortSignal }): Promise<number>;
  /**
   * Appends tokens; gives the logits of the last one, `[1, vocabulary]`, or the next token where another peer chooses it
   * (light mode).
   */
  forward(
    session: number,
    input: { tokens: ArrayLike<number> },
    options?: TurnForwardOptions,
  ): Promise<{ logits: Float32Array | null; token?: number; logprobs?: TokenLogprobs } & StepFigures>;
  /** Forgets positions from `length` on. */
  truncate(session: number, length: number): Promise<void>;
  close(session: number): Promise<void>;
}

export interface TurnForwardOptions {
  signal?: AbortSignal;
  /** How the token after these is going to be chosen; only with the call whose result chooses it. */
  sample?: {
    sampling: Sampling & { seed: number };
    /** Tokens that were drawn with this seed before. */
    drawn: number;
    /** Tokens so far, oldest first. */
    history: readonly number[];
    /** Log-probabilities that are wanted with a token that another peer chooses. */
    logprobs?: number;
  };
  /** Tokens of this call that are computed. */
  onProgress?: (done: number) => void;
}

/** A conversation, or the tokens of a prompt, which go to the model as they are. */
export type Prompt = readonly ChatMessage[] | { readonly tokens: readonly number[] };

export interface TurnOptions {
  sampling: Sampling;
  /**
   * The last message is the beginning of the answer; what comes out goes on from there. The tokens of an answer that
   * this dialogue gave last are remembered; of any other they are made anew from its text.
   */
  continueFinal?: boolean;
  /** Log-probabilities of each token of the answer and of this many likeliest ones, 0 to 20; default: none. */
  logprobs?: number;
  /** Most tokens of the answer; default: what the context leaves. */
  maxTokens?: number;
  /** Texts that end the answer; they are not part of it. */
  stop?: readonly string[];
  signal?: AbortSignal;
  /** Tokens of the prompt computed, of those that had to be. */
  onPrefill?: (done: number, total: number) => void;
  /** The session is open; the prompt is computed next. */
  onOpened?: () => void;
  /** Each step when it is over. */
  onStep?: (step: TurnStep) => void;
}

export interface TurnUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface TurnTimings {
  /** Milliseconds from the call to the first token; null when there was none. */
  first_token_ms: number | null;
  /** Over the tokens after the first; null when there were fewer than two. */
  tokens_per_second: number | null;
  /** Milliseconds that the model itself reports. */
  compute_ms: number;
}

export type TurnEnd = 'stop' | 'length' | 'aborted' | 'context-full';

export type TurnEvent =
  | { type: 'prefill'; done: number; total: number }
  /** `text` may be empty: a character is not whole yet, or it may be the beginning of a stop string. */
  | { type: 'token'; id: number; text: string; logprobs?: TokenLogprobs }
  | {
      type: 'done';
      reason: TurnEnd;
      /** Text that was held back until the end; it belongs to the answer. */
      text: string;
      usage: TurnUsage;
      timings: TurnTimings;
      /** Tokens of the prompt that were still in the session and were not computed again. */
      cachedTokens: number;
    };

export interface Clock {
  /** Milliseconds. */
  now(): number;
}

/**
 * Tokens per prefill call of a model that does not say: Stop waits for at most one, and larger ones gain no speed on any
 * back end measured.
 */
const PREFILL_CHUNK = 128;

type TurnOutput = Awaited<ReturnType<TurnModel['forward']>>;

/**
 * One conversation on one session. Of each new prompt only what differs from the tokens already in the session is
 * computed.
 */
export class Dialogue {
  readonly #model: TurnModel;
  readonly #tokenizer: Tokenizer;
  readonly #template: ChatTemplate;
  readonly #clock: Clock;
  #session: number | null = null;
  /** The tokens whose keys and values the session holds. */
  #held: number[] = [];
  /** The last turn: its prompt, without the beginning of a continued answer, and all tokens of the answer so far. */
  #last: { prompt: readonly number[]; answer: readonly number[] } = { prompt: [], answer: [] };
  #busy = false;
  #closed = false;

  constructor(model: TurnModel, tokenizer: Tokenizer, template: ChatTemplate, clock: Clock = performance) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#template = template;
    this.#clock = clock;
  }

  /** Tokens that the session holds now. */
  get heldTokens(): number {
    return this.#held.length;
  }

  /**
   * Answers the last message, or goes on after the prompt. Stop reading, or abort the signal, to end it early; what was computed stays in the session.
   * @throws ChatError `busy` while another answer of this dialogue runs; `context-full` before anything is computed;
   * `template`; `failed`; and what the model throws
   */
  async *run(prompt: Prompt, options: TurnOptions): AsyncGenerator<TurnEvent, void, void> {
    if (this.#closed) throw new ChatError('failed', 'This conversation is closed. Start a new one.');
    if (this.#busy) {
      throw new ChatError(
        'busy',
        'An answer is still being written. Stop it first, or wait until it is done.',
      );
    }
    this.#busy = true;
    try {
      yield* this.#answer(prompt, options);
    } finally {
      this.#busy = false;
      if (this.#closed) await this.#drop();
    }
  }

  /** Gives the session back. An answer that is being written is not interrupted: abort it first. */
  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#busy) await this.#drop();
  }

  async *#answer(given: Prompt, options: TurnOptions): AsyncGenerator<TurnEvent, void, void> {
    const started = this.#clock.now();
    const raw = 'tokens' in given;
    const { prompt, answer, stream } = this.#read(given, options.continueFinal === true);
    const limit = this.#model.info.maxTokens;
    if (prompt.length === 0) throw new ChatError('bad-request', 'The prompt is empty. Write a message.');
    if (prompt.length >= limit) {
      throw new ChatError(
        'context-full',
        `This conversation is ${prompt.length} tokens long and the model holds ${limit}, its answer included. ` +
          'Start a new chat, or shorten the message.',
      );
    }

    const signal = options.signal;
    const sampler = new Sampler(options.sampling);
    const stops = new StopStrings([...(raw ? [] : this.#template.stop), ...(options.stop ?? [])]);
    const tokens = [...prompt];
    const maxTokens = options.maxTokens ?? Infinity;
    let computeMs = 0;
    let firstToken: number | null = null;
    let lastToken = started;
    let completion = 0;
    let cachedTokens = 0;
    const finish = (reason: TurnEnd, text = ''): TurnEvent => {
      const seconds = firstToken === null ? 0 : (lastToken - firstToken) / 1000;
      return {
        type: 'done',
        reason,
        text,
        usage: {
          prompt_tokens: prompt.length,
          completion_tokens: completion,
          total_tokens: prompt.length + completion,
        },
        timings: {
          first_token_ms: firstToken === null ? null : firstToken - started,
          tokens_per_second: seconds > 0 ? (completion - 1) / seconds : null,
          compute_ms: computeMs,
        },
        cachedTokens,
      };
    };

    const sample = () => ({
      sampling: { ...options.sampling, seed: sampler.seed },
      drawn: completion,
      history: tokens,
      ...(options.logprobs !== undefined && { logprobs: options.logprobs }),
    });

    if (signal?.aborted) return yield finish('aborted');
    try {
      cachedTokens = await this.#keepCommonPrefix(prompt, signal);
    } catch (error) {
      if (signal?.aborted) return yield finish('aborted');
      throw error;
    }
    options.onOpened?.();
    const total = prompt.length - cachedTokens;
    const chunkTokens = this.#model.info.chunkTokens ?? PREFILL_CHUNK;
    const { onStep } = options;
    const prefill = onStep && new Step(this.#clock, 'prefill');
    let output: TurnOutput | null = null;
    for (let at = cachedTokens; at < prompt.length; at = this.#held.length) {
      const chunk = prompt.slice(at, at + chunkTokens);
      const last = at + chunk.length === prompt.length;
      const left = new AbortController();
      const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
      const step = new Progress((report) =>
        this.#forward(chunk, either, last ? sample() : undefined, report),
      );
      try {
        for await (const reported of step.reports()) {
          // The last report is this loop's own, below.
          if (reported >= chunk.length) continue;
          const done = at - cachedTokens + reported;
          options.onPrefill?.(done, total);
          yield { type: 'prefill', done, total };
        }
      } finally {
        // A reader that walks away in between must not leave the session in the middle of a call.
        left.abort();
        await step.result.catch(() => undefined);
      }
      output = await step.result;
      if (output === null) return yield finish('aborted');
      computeMs += output.computeMs;
      prefill?.add(output);
      if (last && prefill) onStep(prefill.end(total));
      const done = this.#held.length - cachedTokens;
      options.onPrefill?.(done, total);
      yield { type: 'prefill', done, total };
    }

    for (;;) {
      if (signal?.aborted) return yield finish('aborted', stops.end());
      const id = output?.token ?? this.#pick(sampler, output, tokens);
      if (this.#tokenizer.stopTokens.has(id)) return yield finish('stop', stops.end());

      lastToken = this.#clock.now();
      firstToken ??= lastToken;
      completion++;
      tokens.push(id);
      answer.push(id);
      const text = stops.push(stream.push(id));
      const logprobs = this.#logprobs(output, id, options.logprobs);
      yield { type: 'token', id, text, ...(logprobs && { logprobs }) };
      if (stops.found) return yield finish('stop');
      if (completion >= maxTokens) return yield finish('length', stops.end());
      if (this.#held.length >= limit) return yield finish('context-full', stops.end());

      const step = onStep && new Step(this.#clock, 'token');
      output = await this.#forward([id], signal, sample());
      if (output === null) return yield finish('aborted', stops.end());
      computeMs += output.computeMs;
      step?.add(output);
      if (step) onStep(step.end(1));
    }
  }

  /**
   * The tokens that the session is to hold before the first new one, those of the whole answer so far, and the decoder
   * that goes on behind it.
   */
  #read(
    given: Prompt,
    continued: boolean,
  ): { prompt: readonly number[]; answer: number[]; stream: TokenStream } {
    const answer: number[] = [];
    let stream = this.#tokenizer.stream();
    let asked: readonly number[];
    if ('tokens' in given) asked = given.tokens;
    else if (!continued) asked = this.#template.encode(given, this.#tokenizer);
    else {
      const { prompt, begun } = this.#template.encodeContinued(given, this.#tokenizer);
      asked = prompt;
      const last = sameTokens(prompt, this.#last.prompt) ? this.#last.answer : [];
      // Tokens made of a text are not always those that the text was made of.
      const isLast = last.map((id) => stream.push(id)).join('') === given.at(-1)!.content;
      answer.push(...(isLast ? last : begun));
      if (!isLast) {
        stream = this.#tokenizer.stream();
        for (const id of begun) stream.push(id);
      }
    }
    this.#last = { prompt: asked, answer };
    return { prompt: [...asked, ...answer], answer, stream };
  }

  #logprobs(output: TurnOutput | null, id: number, top: number | undefined): TokenLogprobs | undefined {
    if (top === undefined) return undefined;
    return output?.logits ? logProbabilities(output.logits, id, top) : output?.logprobs;
  }

  #pick(sampler: Sampler, output: TurnOutput | null, tokens: readonly number[]): number {
    if (!output?.logits)
      throw new ChatError('failed', 'The model gave no logits: its last slice has no head.');
    return sampler.pick(output.logits, tokens);
  }

  /** Opens the session, or cuts it back to what it has in common with the prompt; returns how much that is. */
  async #keepCommonPrefix(prompt: readonly number[], signal?: AbortSignal): Promise<number> {
    this.#session ??= await this.#model.open({ signal });
    // The last token of the prompt is always computed: its logits choose the first token.
    const most = Math.min(this.#held.length, prompt.length - 1);
    let common = 0;
    while (common < most && this.#held[common] === prompt[common]) common++;
    if (common < this.#held.length) await this.#truncate(common);
    return common;
  }

  async #truncate(length: number): Promise<void> {
    try {
      await this.#model.truncate(this.#session!, length);
      this.#held.length = length;
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  /** Appends tokens to the session; null when the signal ended it. The session is in step with `#held` afterwards. */
  async #forward(
    tokens: readonly number[],
    signal: AbortSignal | undefined,
    sample: TurnForwardOptions['sample'],
    onProgress?: (done: number) => void,
  ): Promise<TurnOutput | null> {
    if (signal?.aborted) return null;
    try {
      const options = { signal, sample, onProgress };
      const output = await this.#model.forward(this.#session!, { tokens }, options);
      this.#held.push(...tokens);
      return output;
    } catch (error) {
      // It may have come to the end of some layers or of all: only what was confirmed is kept.
      try {
        await this.#model.truncate(this.#session!, this.#held.length);
      } catch {
        // The session is gone with the device or the hop; the next turn opens another and computes the prompt again.
        await this.#drop();
      }
      if (signal?.aborted) return null;
      throw error;
    }
  }

  async #drop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#held = [];
    if (session === null) return;
    // A session that cannot be closed is gone already, and its memory with it.
    await this.#model.close(session).catch(() => undefined);
  }
}

function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i]);
}
