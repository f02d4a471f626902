import { type Chain, ChainError } from '../src/chain/index.ts';
import { DEFAULT_SAMPLING, Sampler, type Sampling } from '../src/chat/index.ts';
import { likeliest } from './arithmetic.ts';
import { describe } from './invariants.ts';
import type { ConversationPlan, TurnPlan } from './scenario.ts';
import type { ClientPeer, World } from './world.ts';

/** How a turn ended. */
export type TurnEnd = 'done' | 'stopped' | 'error';

/** Milliseconds after Stop in which a turn must have ended: one run of an engine, and the event loop. */
const STOP_MS = 400;

/** One conversation of one client: what `chat/` does with a chain, with every token compared with the truth. */
export class Conversation {
  readonly ends: TurnEnd[] = [];
  /** Set while a turn runs. */
  stop: AbortController | null = null;
  stoppedAt = 0;
  over = false;
  #chain: Chain | null = null;
  #session: number | null = null;
  #opened = false;
  /** Tokens that the session holds. */
  #held: number[] = [];

  constructor(
    private readonly world: World,
    readonly client: ClientPeer,
    readonly plan: ConversationPlan,
    readonly name: string,
  ) {}

  /** The user presses Stop. */
  abort(): void {
    this.stoppedAt = this.world.scheduler.now;
    this.stop?.abort();
  }

  async run(): Promise<void> {
    try {
      let history: number[] = [];
      for (const turn of this.plan.turns) {
        const kept = history.slice(0, Math.floor(history.length * turn.keep));
        const room = this.world.model.maxTokens - kept.length - turn.answer;
        const prompt = [...kept, ...turn.prompt.slice(0, Math.max(0, room))];
        if (prompt.length === 0 || room < 2) break;
        const { end, tokens } = await this.#turn(prompt, turn);
        this.ends.push(end);
        history = tokens;
        if (end === 'error') break;
      }
    } catch (error) {
      this.#broken(`a turn ended in ${describe(error)}`);
    } finally {
      await this.#close();
      this.over = true;
    }
  }

  async #turn(prompt: number[], turn: TurnPlan): Promise<{ end: TurnEnd; tokens: number[] }> {
    const { world } = this;
    const started = world.scheduler.now;
    const tokens = [...prompt];
    const truth = new Truth(world, this.sampling);
    this.stop = new AbortController();
    this.stoppedAt = 0;
    try {
      await this.#keepCommonPrefix(prompt);
      let output = await this.#forward(prompt.slice(this.#held.length), prompt, 0);
      for (let drawn = 0; ; drawn++) {
        const wanted = await truth.next(tokens);
        const got = output.token ?? truth.compare(output.logits);
        if (got !== wanted)
          this.#broken(`token ${drawn} after ${prompt.length} of prompt is ${got}, not ${wanted}`);
        tokens.push(wanted);
        if (drawn + 1 >= turn.answer || got !== wanted) return { end: 'done', tokens };
        output = await this.#forward([wanted], tokens, drawn + 1);
      }
    } catch (error) {
      if (this.stop.signal.aborted) {
        const took = world.scheduler.now - Math.max(this.stoppedAt, this.client.sleptUntil);
        if (took > STOP_MS) this.#broken(`Stop took ${Math.round(took)} ms`);
        return { end: 'stopped', tokens };
      }
      this.#justify(error, started);
      return { end: 'error', tokens };
    } finally {
      this.stop = null;
      truth.close();
    }
  }

  get sampling(): Sampling & { seed: number } {
    const seed = this.plan.samplingSeed;
    return seed === null
      ? { ...DEFAULT_SAMPLING, temperature: 0, repetitionPenalty: 1, seed: 1 }
      : { ...DEFAULT_SAMPLING, temperature: 0.9, topK: 20, repetitionPenalty: 1.1, seed };
  }

  async #keepCommonPrefix(prompt: readonly number[]): Promise<void> {
    this.#chain ??= await this.world.chainFor(this.client, this.stop!.signal);
    this.#session ??= await this.#chain.open({ signal: this.stop!.signal });
    this.#opened = true;
    const most = Math.min(this.#held.length, prompt.length - 1);
    let common = 0;
    while (common < most && this.#held[common] === prompt[common]) common++;
    if (common < this.#held.length) await this.#chain.truncate(this.#session, common);
    this.#held.length = common;
  }

  async #forward(tokens: readonly number[], all: readonly number[], drawn: number) {
    const { signal } = this.stop!;
    const before = this.world.scheduler.now;
    const hitsBefore = this.#hits();
    try {
      const output = await this.#chain!.forward(
        this.#session!,
        { tokens },
        { signal, sample: { sampling: this.sampling, drawn, history: all } },
      );
      this.#held.push(...tokens);
      return output;
    } catch (error) {
      try {
        await this.#chain!.truncate(this.#session!, this.#held.length);
      } catch {
        await this.#close();
      }
      throw error;
    } finally {
      const { stepMs } = this.world.scenario;
      // Time in which it slept is nobody's fault.
      const took = this.world.scheduler.now - Math.max(before, this.client.sleptUntil);
      const limit = (this.#hits() - hitsBefore + 2) * (stepMs + 20_000);
      if (took > limit) this.#broken(`a step took ${Math.round(took)} ms of the world's time`);
    }
  }

  #hits(): number {
    let hits = 0;
    for (const count of this.world.hits.values()) hits += count;
    return hits;
  }

  /** An error is right only when the layers had no live cover during the turn, or the time was truly used up. */
  #justify(error: unknown, started: number): void {
    const { world } = this;
    if (!(error instanceof ChainError)) {
      this.#broken(`a turn ended in ${describe(error)}`);
      return;
    }
    const { plan, sleptUntil } = this.client;
    const uncovered = world.uncoveredAt.get(plan.name) ?? Number.NEGATIVE_INFINITY;
    const covered = world.othersCover(this.client) && uncovered < started;
    // It stands in for hops that are lost; whether to open a chain without others is for the page to say.
    const standsIn = plan.local && this.#opened;
    // It slept through a deadline.
    const late = /^(deadline|no-cover|unreachable)$/.test(error.code) && sleptUntil >= started;
    const full = /^(no-c|failed)/.test(error.code) && world.scenario.scarce;
    const away = world.network.noDials || (world.hits.get('relay away') ?? 0) > 0;
    if ((!covered && !standsIn) || full || away || late) {
      world.hit(`error ${error.code}`);
      return;
    }
    const elapsed = world.scheduler.now - started;
    this.#broken(
      `${error.code} after ${Math.round(elapsed)} ms though live hosts cover the layers: ${error.message}`,
    );
  }

  async #close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#held = [];
    if (session !== null) await this.#chain?.close(session).catch(() => undefined);
  }

  #broken(what: string): void {
    this.world.broken.push(`${this.name} at ${Math.round(this.world.scheduler.now)} ms: ${what}`);
  }
}

/** What one machine with the whole model says, token by token. */
class Truth {
  last = -1;
  readonly #oracle;
  readonly #sampler: Sampler;
  #logits: Float32Array = new Float32Array();
  #pushed = 0;

  constructor(
    private readonly world: World,
    sampling: Sampling,
  ) {
    this.#oracle = world.model.oracle();
    this.#sampler = new Sampler(sampling);
  }

  async next(tokens: readonly number[]): Promise<number> {
    for (; this.#pushed < tokens.length; this.#pushed++) {
      const logits = this.#oracle.push(tokens[this.#pushed]!);
      this.#logits = logits instanceof Promise ? await this.world.scheduler.outside(logits) : logits;
    }
    this.last = this.#sampler.pick(this.#logits, tokens);
    return this.last;
  }

  close(): void {
    const closed = this.#oracle.close?.();
    if (closed) void this.world.scheduler.outside(closed);
  }

  /** The token that these logits would have given; -1 when they are not bit by bit those of one machine. */
  compare(logits: Float32Array | null): number {
    if (!logits) return -1;
    const same =
      logits.length === this.#logits.length && logits.every((value, i) => value === this.#logits[i]);
    if (same || !this.world.model.exact) return same ? this.last : likeliest(logits);
    return -1;
  }
}
