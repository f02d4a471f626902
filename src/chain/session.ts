import type { EngineError } from '../engine/index.ts';
import type { TokenLogprobs } from '../host/index.ts';
import type { Message } from '../wire/index.ts';
import type { SessionListener } from './control.ts';
import { describeHops } from './describe.ts';
import { pump, repair, watch } from './drive.ts';
import { Inbox } from './inbox.ts';
import { settle } from './mend.ts';
import type { PlannedHop } from './plan.ts';
import { type SampleRequest, samplingState } from './sampling.ts';
import { type Answer, type ChainContext, SessionState } from './state.ts';
import { ChainError, type ChainHop } from './types.ts';
import { abortable, abortReason, throwIfAborted } from './wait.ts';

export interface ChainForwardOptions {
  signal?: AbortSignal;
  /** Light mode: how the last hop is to choose the token. */
  sample?: SampleRequest;
  /** Positions of this call that have come through the whole chain. */
  onProgress?: (done: number) => void;
}

export interface ChainForwardOutput {
  /** `[1, vocabulary]`; null in light mode. */
  logits: Float32Array | null;
  /** Light mode. */
  token?: number;
  /** Light mode, when they were asked for. */
  logprobs?: TokenLogprobs;
  /** Milliseconds in engines: the client's own and all hops'. */
  computeMs: number;
  /** Of them, those of each hop that the chain has at the end of the step, as it says; 0 for one that did not tell. */
  hopMs: readonly number[];
  /** Milliseconds that no engine accounts for. */
  wireMs: number;
}

/** One session along a chain: from token ids to logits, whatever becomes of the hops. */
export class ChainSession implements SessionListener {
  readonly #state: SessionState;
  readonly #context: ChainContext;
  readonly #inbox: Inbox;
  #frontSession: number | null = null;
  #headSession: number | null = null;
  #headEmptied: Promise<void> = Promise.resolve();
  #busy = false;
  #closed = false;
  /** A part of this session that cannot be put back as it was. */
  #broken: ChainError | null = null;
  #detach: () => void = () => undefined;
  computeMs = 0;
  wireMs = 0;
  /** Milliseconds of the client's own parts in this forward call. */
  #ownMs = 0;

  private constructor(context: ChainContext) {
    this.#context = context;
    const { front, head } = context.options.parts;
    const width = context.span.embed ? 1 : (front ?? head)!.info.width;
    this.#state = new SessionState(context.options.randomId(), context, width);
    this.#inbox = new Inbox(this.#state);
  }

  /** @throws ChainError as `settle`; what the engines throw */
  static async open(
    context: ChainContext,
    plan: readonly PlannedHop[],
    signal: AbortSignal,
  ): Promise<ChainSession> {
    const session = new ChainSession(context);
    try {
      await session.#open(plan, signal);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async #open(plan: readonly PlannedHop[], signal: AbortSignal): Promise<void> {
    const state = this.#state;
    const { front, head } = this.#context.options.parts;
    this.#detach = this.#context.control.attach(state.id, this);
    state.route.replace({ from: 0, to: 0 }, plan);
    this.#frontSession = front ? await front.open({ maxTokens: this.#context.maxTokens }) : null;
    // Without layers it keeps nothing: it is emptied after each row.
    this.#headSession = head ? await head.open({ maxTokens: 1 }) : null;
    await settle(state, signal);
    state.wasOpen = true;
  }

  get hops(): ChainHop[] {
    return describeHops(this.#context, this.#state.route.hops);
  }

  get recoveries(): number {
    return this.#state.recoveries;
  }

  /**
   * Appends tokens. All or nothing: after an error the session is as long as before.
   * @throws ChainError `aborted`, `cache-full`, `bad-input`, `closed`; `no-cover`, `no-capacity`, `deadline`, `failed`
   * when a hop was lost and cannot be replaced
   */
  async forward(tokens: ArrayLike<number>, options: ChainForwardOptions): Promise<ChainForwardOutput> {
    this.#check(tokens, options);
    const state = this.#state;
    const { clock } = this.#context;
    const stop = new AbortController();
    const outer = [state.life.signal, ...(options.signal ? [options.signal] : [])];
    const abort = () => stop.abort(abortReason(outer.find((one) => one.aborted)!));
    for (const one of outer) one.addEventListener('abort', abort, { once: true });
    this.#busy = true;
    const started = clock.now();
    this.#inbox.takeHopMs();
    this.#ownMs = 0;
    if (tokens.length > 1) state.turnLosses = 0;
    if (state.recovering) state.recovering.since = started;
    try {
      if (outer.some((one) => one.aborted)) abort();
      const answer = await this.#run(tokens, options, stop);
      const logits = answer.row ? await this.#logits(answer.row, stop.signal) : null;
      state.committed += tokens.length;
      const figures = this.#account(clock.now() - started);
      const { token, logprobs } = answer;
      return { logits, token, ...(logprobs && { logprobs }), ...figures };
    } catch (error) {
      await this.#undo();
      throw stop.signal.aborted ? abortReason(stop.signal) : explain(error);
    } finally {
      for (const one of outer) one.removeEventListener('abort', abort);
      this.#busy = false;
    }
  }

  /** Forgets positions from `length` on. @throws ChainError `bad-input`, `closed`, `failed` */
  async truncate(length: number): Promise<void> {
    const { committed } = this.#state;
    this.#checkUsable();
    if (!Number.isInteger(length) || length < 0 || length > committed)
      throw new ChainError('bad-input', `A session of ${committed} tokens cannot be cut to ${length}.`);
    if (length < committed) await this.#cut(length);
  }

  /** Frees what the session holds, here and at the hops. Never throws. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const state = this.#state;
    state.life.abort(new ChainError('closed', 'This conversation is closed. Start a new one.'));
    for (const hop of state.route.hops) state.release(hop, 'done');
    this.#detach();
    const { front, head } = this.#context.options.parts;
    // An engine that cannot close a session is gone, and the session with it.
    if (front && this.#frontSession !== null) await front.close(this.#frontSession).catch(() => undefined);
    if (head && this.#headSession !== null) await head.close(this.#headSession).catch(() => undefined);
  }

  knows(peer: string): boolean {
    return this.#state.route.hopOf(peer) !== undefined;
  }

  gone(peer: string, reason: string): void {
    const hop = this.#state.route.hopOf(peer);
    if (hop) this.#state.lose(hop, reason, 'asked');
  }

  message(from: string, message: Message): void {
    this.#inbox.take(from, message);
  }

  async #run(
    tokens: ArrayLike<number>,
    options: ChainForwardOptions,
    stop: AbortController,
  ): Promise<Answer> {
    const state = this.#state;
    throwIfAborted(stop.signal);
    const start = state.committed;
    const work = new AbortController();
    const end = () => work.abort(abortReason(stop.signal));
    stop.signal.addEventListener('abort', end, { once: true });
    state.progressAt = this.#context.clock.now();
    state.stalled = null;
    const answer = new Promise<Answer>((resolve) => {
      state.step = {
        start,
        end: start + tokens.length,
        sampling: options.sample && this.#context.span.head ? samplingState(options.sample) : undefined,
        answer: resolve,
        progress: (done) => options.onProgress?.(done),
      };
    });
    const loops = [
      this.#front(tokens, work.signal),
      pump(state, work.signal),
      repair(state, work.signal),
      watch(state, work.signal),
    ];
    // The front ends by itself; the others only by an error or the signal.
    const failed = Promise.all(loops).then(() => answer);
    try {
      return await abortable(Promise.race([answer, failed]), work.signal);
    } finally {
      state.step = null;
      stop.signal.removeEventListener('abort', end);
      work.abort();
      await Promise.allSettled(loops);
    }
  }

  /** The client's own layers, chunk by chunk, while earlier chunks travel. */
  async #front(tokens: ArrayLike<number>, signal: AbortSignal): Promise<void> {
    const { options, limits } = this.#context;
    const all = Array.from(tokens);
    for (let at = 0; at < all.length; at += limits.chunk) {
      const chunk = all.slice(at, at + limits.chunk);
      const { front } = options.parts;
      if (front) {
        const output = await abortable(
          front.forward(this.#frontSession!, { tokens: chunk }, { signal }),
          signal,
        );
        if (!output.hidden)
          throw new ChainError('bad-input', 'The front part gives logits: load it without head.');
        this.#ownMs += output.computeMs;
        this.#state.log.append(output.hidden);
      } else this.#state.log.append(Float32Array.from(chunk));
      this.#state.bell.ring();
    }
  }

  async #logits(row: Float32Array, signal: AbortSignal): Promise<Float32Array> {
    const head = this.#context.options.parts.head!;
    const session = this.#headSession!;
    await this.#headEmptied;
    const output = await abortable(head.forward(session, { hidden: row }, { signal }), signal);
    // Done while the token travels; an error of it is the next row's.
    this.#headEmptied = head.truncate(session, 0);
    this.#headEmptied.catch(() => undefined);
    this.#ownMs += output.computeMs;
    if (!output.logits)
      throw new ChainError('bad-input', 'The head part gives no logits: load it with head.');
    return output.logits;
  }

  /** Puts the session back to what it was before a call that failed. */
  async #undo(): Promise<void> {
    const state = this.#state;
    if (state.life.signal.aborted) return;
    const { generation } = state;
    for (const hop of state.route.hops) {
      if (hop.lost !== null || !hop.opened) continue;
      state.post(hop.address, {
        kind: 'abort_session',
        session_id: state.id,
        reason: 'stopped',
        code: 'stopped',
        keep: true,
        generation,
      });
    }
    try {
      const { head } = this.#context.options.parts;
      if (head && this.#headSession !== null) await head.truncate(this.#headSession, 0);
      await this.#cut(state.committed);
    } catch (error) {
      this.#broken = new ChainError('failed', 'The part of the model in this tab failed. Start again.', {
        cause: error,
      });
    }
  }

  async #cut(length: number): Promise<void> {
    const state = this.#state;
    const { front } = this.#context.options.parts;
    state.generation++;
    state.cut = length;
    state.committed = length;
    state.log.truncate(length);
    state.sender.cursor = Math.min(state.sender.cursor, length);
    state.acked = Math.min(state.acked, length);
    // Whoever was still getting replayed rows may hold fewer than the new generation begins with.
    for (const link of state.unproven?.links ?? []) {
      const i = state.route.links.indexOf(link);
      if (i >= 0) link.broken = true;
      if (i === 0) state.sender.stop.abort();
    }
    state.unproven = null;
    if (front && this.#frontSession !== null) await front.truncate(this.#frontSession, length);
  }

  /** @returns milliseconds that engines worked; the rest of the time, beyond the busiest of them, was the wire's */
  #account(elapsedMs: number): Pick<ChainForwardOutput, 'computeMs' | 'hopMs' | 'wireMs'> {
    const told = this.#inbox.takeHopMs();
    const hops = this.#state.route.hops.map((_, place) => told[place] ?? 0);
    const computeMs = hops.reduce((sum, ms) => sum + ms, this.#ownMs);
    this.computeMs += computeMs;
    // Chunks of a prefill overlap: then the sum is longer than the time, and only the busiest counts.
    const busy = computeMs <= elapsedMs ? computeMs : Math.max(this.#ownMs, ...hops);
    const wireMs = Math.max(0, elapsedMs - busy);
    this.wireMs += wireMs;
    return { computeMs, hopMs: hops, wireMs };
  }

  #check(tokens: ArrayLike<number>, { sample }: ChainForwardOptions): void {
    this.#checkUsable();
    const { maxTokens, span, options } = this.#context;
    const { vocabulary } = options.manifest.config;
    const { committed } = this.#state;
    if (this.#busy)
      throw new ChainError('bad-input', 'This session computes already. Wait for the answer, or stop it.');
    if (tokens.length === 0) throw new ChainError('bad-input', 'No tokens given.');
    if (committed + tokens.length > maxTokens) {
      throw new ChainError(
        'cache-full',
        `The session holds ${committed} of ${maxTokens} tokens and ${tokens.length} more do not fit. Start a new chat.`,
      );
    }
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      if (!Number.isInteger(token) || token < 0 || token >= vocabulary)
        throw new ChainError('bad-input', `Token ${token} is not in the vocabulary of ${vocabulary}.`);
    }
    if (span.head && !sample)
      throw new ChainError('bad-input', 'In light mode a call must say how the next token is chosen.');
  }

  #checkUsable(): void {
    if (this.#closed) throw new ChainError('closed', 'This conversation is closed. Start a new one.');
    if (this.#broken) throw this.#broken;
  }
}

function explain(error: unknown): Error {
  if (error instanceof ChainError) return error;
  const reason = error instanceof Error ? error.message : 'unknown error';
  const code = (error as Partial<EngineError> | null)?.code;
  if (code === 'lost' || code === 'disposed')
    return new ChainError('failed', `The part of the model in this tab is gone: ${reason}`, { cause: error });
  return new ChainError('failed', `A step failed: ${reason}`, { cause: error });
}
