import type { TokenLogprobs } from '../host/index.ts';
import { decodeHidden, type ForwardHidden, type Heartbeat, type Message, type Token } from '../wire/index.ts';
import { describeHops } from './describe.ts';
import type { Hop } from './route.ts';
import type { SessionState, Trust } from './state.ts';

/** Why a hop that ended the session may be asked for it again, or not. */
const TRUST_AFTER: Readonly<Record<string, Trust>> = {
  idle: 'again',
  'no-session': 'again',
  'next-gone': 'again',
};

/** What comes for a session from its hops. Whatever is not what the session waits for is dropped. */
export class Inbox {
  readonly #state: SessionState;
  /** Milliseconds that each hop computed, by its place, since it was read last. */
  #hopMs: number[] = [];

  constructor(state: SessionState) {
    this.#state = state;
  }

  /** Milliseconds of each hop since the last call. */
  takeHopMs(): number[] {
    const taken = this.#hopMs.map((ms) => ms ?? 0);
    this.#hopMs = [];
    return taken;
  }

  take(from: string, message: Message): void {
    const state = this.#state;
    const hop = state.route.hopOf(from);
    if (!hop) return;
    if (message.kind === 'session_ack') state.acknowledged(from, message);
    else if (message.kind === 'abort_session') {
      // What this client tells the hop that it is itself comes back to it as well; only a client names a generation.
      if (from === state.self.peer && message.generation !== undefined) return;
      this.#ended(hop, message.code ?? 'failed', message.reason);
    } else if (message.kind === 'heartbeat') this.#heartbeat(hop, message);
    else if (message.kind === 'forward_hidden') this.#rows(hop, message);
    else if (message.kind === 'token') this.#token(hop, message);
  }

  #ended(hop: Hop, code: string, reason: string): void {
    const state = this.#state;
    const i = state.route.indexOf(hop);
    if (code === 'bad-frame' && i > 0) {
      // It is one hop's word against another's: neither goes on, and the one that sent the rows is not asked again. One
      // that has just come in its place sent nothing yet.
      const before = state.route.hops[i - 1]!;
      if (before.opened && !state.route.links[i]!.broken)
        state.lose(before, 'the next hop refused its output', 'never');
      state.lose(hop, reason, 'again');
      return;
    }
    if (code.startsWith('refused')) state.refused = true;
    const behind = state.route.hops[i + 1];
    if (code === 'next-gone' && behind) behind.suspect = true;
    state.lose(hop, `${code}: ${reason}`, TRUST_AFTER[code] ?? 'asked');
  }

  #heartbeat(hop: Hop, message: Heartbeat): void {
    if (message.ask) return;
    const state = this.#state;
    state.answered(hop.peer, message);
    const i = state.route.indexOf(hop);
    const out = state.route.links[i + 1]!;
    const current = message.epoch === out.epoch;
    if (message.health === 1) {
      if (current) state.nudge(i, 'rows are missing there');
    } else if (message.health === 2) {
      if (!current || out.broken) return;
      const behind = state.route.hops[i + 1];
      if (behind) behind.suspect = true;
      else state.nudge(i + 1, 'it cannot reach this peer', true);
      state.bell.ring();
    } else {
      if (hop === state.route.tail && current && message.generation === state.generation)
        this.#cameThrough(message.length ?? 0, message.compute_ms, false);
    }
  }

  #rows(hop: Hop, message: ForwardHidden): void {
    const state = this.#state;
    const position = message.position ?? 0;
    const [, rows, width] = message.shape;
    const at = state.awaited - position;
    if (!this.#fromTail(hop, message) || this.#state.context.span.head || !state.step) return;
    if (at < 0 || at >= rows || state.awaited >= state.log.length) return;
    let values: Float32Array;
    try {
      if (width !== this.#state.context.options.manifest.config.width)
        throw new RangeError(`rows of ${width} values`);
      values = decodeHidden(message.payload, message.shape, message.dtype);
    } catch (error) {
      state.lose(hop, `it sent ${error instanceof Error ? error.message : 'no numbers'}`, 'never');
      this.#state.context.control.transport.cutOff(hop.peer, 'it sent no valid hidden states');
      return;
    }
    const { step } = state;
    this.#cameThrough(position + rows, message.compute_ms, true);
    step.answer({ row: values.slice(at * width, (at + 1) * width) });
  }

  #token(hop: Hop, message: Token): void {
    const state = this.#state;
    if (!this.#fromTail(hop, message) || !this.#state.context.span.head || !state.step) return;
    if (message.position !== state.awaited || state.awaited >= state.log.length) return;
    if (message.sampled >= this.#state.context.options.manifest.config.vocabulary) {
      state.lose(hop, `it sent token ${message.sampled}, which the model does not have`, 'never');
      return;
    }
    const { step } = state;
    const logprobs = this.#logprobs(message, step.sampling?.logprobs);
    if (logprobs === null) {
      state.lose(hop, 'it sent log-probabilities that are not those that were asked for', 'never');
      return;
    }
    this.#cameThrough(message.position + 1, message.compute_ms, true);
    step.answer({ token: message.sampled, logprobs });
  }

  /** What came with a token, undefined when nothing was asked for; null when it is not what was. */
  #logprobs(
    { logprob, top_logprobs: top }: Token,
    asked: number | undefined,
  ): TokenLogprobs | null | undefined {
    if (asked === undefined) return undefined;
    const { vocabulary } = this.#state.context.options.manifest.config;
    if (logprob === undefined || top?.length !== Math.min(asked, vocabulary)) return null;
    if (top.some(([id]) => id >= vocabulary)) return null;
    return { logprob, top: top.map(([id, its]) => ({ id, logprob: its })) };
  }

  #fromTail(hop: Hop, message: { epoch?: number; generation?: number }): boolean {
    const { route, generation } = this.#state;
    const current = message.epoch === route.answers.epoch && message.generation === generation;
    return hop === route.tail && current;
  }

  /** The tail holds that many positions. */
  #cameThrough(length: number, computeMs: readonly number[] = [], isAnswer = false): void {
    const state = this.#state;
    const { context } = state;
    if (length > state.log.length) return;
    computeMs.forEach((ms, i) => {
      if (i < state.route.hops.length) this.#hopMs[i] = (this.#hopMs[i] ?? 0) + ms;
    });
    const rose = length > state.acked;
    // An answer to a question says nothing new of a chain that stands still.
    if (!rose && !isAnswer) return;
    state.acked = Math.max(state.acked, length);
    state.progressAt = context.clock.now();
    state.stalled = null;
    for (const link of state.route.links) link.nudges = 0;
    if (state.unproven && length > state.unproven.above && length >= state.committed) state.unproven = null;
    if (state.recovering && !state.route.troubled) {
      const { since, lost, replayed } = state.recovering;
      state.recovering = null;
      state.recoveries += lost;
      context.emit({
        type: 'recovered',
        hops: describeHops(context, state.route.hops),
        replayed,
        pauseMs: context.clock.now() - since,
      });
    }
    const { step } = state;
    if (step && rose && length > step.start) step.progress(Math.min(length, step.end) - step.start);
    state.bell.ring();
  }
}
