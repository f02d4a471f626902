import {
  type Backend,
  type Engine,
  EngineError,
  type EngineInfo,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
} from '../engine/index.ts';

/** Where a lost GPU's work goes: a GPU that went away once may do so again, and the CPU never does. */
const AFTER_A_GPU: readonly Backend[] = ['wasm'];

/** Positions replayed at a time into a new engine, as a turn prefills them. */
const REPLAY_CHUNK = 128;

/** Starts an engine on the given back ends. */
export type StartEngine = (backends: readonly Backend[] | undefined, signal?: AbortSignal) => Promise<Engine>;

/** An engine that was lost, and the one that took over: `ms` is the pause, `replayed` positions were computed again. */
export type EngineLoss =
  | { type: 'lost'; reason: string }
  | { type: 'recovered'; ms: number; replayed: number };

/**
 * A whole-model engine that outlives a lost GPU: it starts on the CPU once, replays the tokens that each
 * session held, and goes on with the call that failed, so that a conversation continues as if nothing had happened.
 */
export class ResilientEngine {
  #engine: Engine;
  #restarted: Promise<void> | null = null;
  #recoveries = 0;
  #next = 1;
  /** Hears of losses during an answer. */
  onLoss: (loss: EngineLoss) => void = () => {};
  readonly #sessions = new Map<number, { inner: number; maxTokens?: number; tokens: number[] }>();

  constructor(
    engine: Engine,
    private readonly start: StartEngine,
    private readonly onLost: (reason: string, now: EngineInfo | null) => void,
    /** Milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#engine = engine;
  }

  get info(): EngineInfo {
    return this.#engine.info;
  }

  /** Times that the engine was replaced. */
  get recoveries(): number {
    return this.#recoveries;
  }

  async open({ maxTokens }: { maxTokens?: number } = {}): Promise<number> {
    const inner = await this.#survive(() => this.#engine.open({ maxTokens }));
    const session = this.#next++;
    this.#sessions.set(session, { inner, maxTokens, tokens: [] });
    return session;
  }

  async forward(
    session: number,
    input: Extract<ForwardInput, { tokens: ArrayLike<number> }>,
    options?: ForwardOptions,
  ): Promise<ForwardOutput> {
    const held = this.#held(session);
    const output = await this.#survive(
      () => this.#engine.forward(held.inner, input, options),
      options?.signal,
    );
    for (let i = 0; i < input.tokens.length; i++) held.tokens.push(input.tokens[i]!);
    return output;
  }

  async truncate(session: number, length: number): Promise<void> {
    const held = this.#held(session);
    await this.#survive(() => this.#engine.truncate(held.inner, length));
    held.tokens.length = Math.min(held.tokens.length, length);
  }

  async close(session: number): Promise<void> {
    const held = this.#held(session);
    this.#sessions.delete(session);
    await this.#engine.close(held.inner);
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }

  #held(session: number) {
    const held = this.#sessions.get(session);
    if (!held) throw new EngineError('no-session', `There is no session ${session}. Open one first.`);
    return held;
  }

  async #survive<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'lost' || this.#recoveries > 0) throw error;
      this.#restarted ??= this.#restart(error, signal).finally(() => {
        this.#restarted = null;
      });
      await this.#restarted;
      return await call();
    }
  }

  async #restart(lost: EngineError, signal?: AbortSignal): Promise<void> {
    const lostAt = this.now();
    let replayed = 0;
    this.onLost(lost.message, null);
    this.onLoss({ type: 'lost', reason: lost.message });
    const { backend } = this.#engine.info;
    const next = backend === 'jspi' || backend === 'webgpu' ? AFTER_A_GPU : undefined;
    // Its worker is of no more use; a failure to stop it changes nothing.
    await this.#engine.dispose().catch(() => {});
    this.#engine = await this.start(next, signal);
    this.#recoveries++;
    for (const held of this.#sessions.values()) {
      held.inner = await this.#engine.open({ maxTokens: held.maxTokens });
      for (let i = 0; i < held.tokens.length; i += REPLAY_CHUNK) {
        await this.#engine.forward(
          held.inner,
          { tokens: held.tokens.slice(i, i + REPLAY_CHUNK) },
          { signal },
        );
      }
      replayed += held.tokens.length;
    }
    this.onLost(lost.message, this.#engine.info);
    this.onLoss({ type: 'recovered', ms: this.now() - lostAt, replayed });
  }
}
