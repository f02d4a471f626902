import {
  type Engine,
  EngineError,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
} from '../../src/engine/index.ts';

/** Sessions of one run; as in `host/`: a CPU gains little beyond. */
const MAX_BATCH = 32;

/** One new position of one session that waits for the next run. */
interface Waiting {
  session: number;
  input: ForwardInput;
  signal: AbortSignal | undefined;
  resolve(output: ForwardOutput): void;
  reject(error: unknown): void;
}

/**
 * An engine that many conversations share: single positions that come while a run is going are computed together in the
 * next one. Calls with more positions (a prompt) go to the engine as they are. Each session has at most one call under
 * way, so no more wait than sessions are open.
 */
export class BatchedEngine implements Engine {
  #waiting: Waiting[] = [];
  #working = false;
  #lost = false;
  /** Runs that served more than one session. */
  sharedRuns = 0;

  /** @param onLost hears once that the engine is gone and has to be loaded again */
  constructor(
    private readonly engine: Engine,
    private readonly onLost: () => void = () => undefined,
  ) {}

  get info(): Engine['info'] {
    return this.engine.info;
  }

  forward(session: number, input: ForwardInput, options: ForwardOptions = {}): Promise<ForwardOutput> {
    if (options.rows || !this.#isSingle(input))
      return this.#watched(this.engine.forward(session, input, options));
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new EngineError('aborted', 'stopped'));
        return;
      }
      this.#waiting.push({ session, input, signal, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  open(options?: { maxTokens?: number }): Promise<number> {
    return this.#watched(this.engine.open(options));
  }

  decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    return this.#watched(this.engine.decode(batch));
  }

  truncate(session: number, length: number): Promise<void> {
    this.#forget(session);
    return this.#watched(this.engine.truncate(session, length));
  }

  close(session: number): Promise<void> {
    this.#forget(session);
    return this.#watched(this.engine.close(session));
  }

  dispose(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0))
      reject(new EngineError('disposed', 'the engine was closed'));
    return this.engine.dispose();
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      // One task later, so that calls that are made together run together.
      await Promise.resolve();
      while (this.#waiting.length > 0) await this.#run(this.#take());
    } finally {
      this.#working = false;
    }
  }

  /** Calls for the next run: one of each session, and none that was stopped meanwhile. */
  #take(): Waiting[] {
    const batch = new Map<number, Waiting>();
    const left: Waiting[] = [];
    for (const call of this.#waiting) {
      if (call.signal?.aborted) call.reject(new EngineError('aborted', 'stopped'));
      else if (batch.size >= MAX_BATCH || batch.has(call.session)) left.push(call);
      else batch.set(call.session, call);
    }
    this.#waiting = left;
    return [...batch.values()];
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    if (batch.length > 1) {
      try {
        const outputs = await this.engine.decode(batch);
        this.sharedRuns++;
        batch.forEach(({ resolve }, at) => {
          resolve(outputs[at]!);
        });
        return;
      } catch {
        // One of them spoiled it, and alone it shows which.
      }
    }
    for (const { session, input, signal, resolve, reject } of batch)
      await this.#watched(this.engine.forward(session, input, { signal })).then(resolve, reject);
  }

  /** What waits for a session that is cut or closed is nobody's any more. */
  #forget(session: number): void {
    this.#waiting = this.#waiting.filter((call) => {
      if (call.session === session) call.reject(new EngineError('aborted', 'stopped'));
      return call.session !== session;
    });
  }

  #isSingle(input: ForwardInput): boolean {
    return 'tokens' in input ? input.tokens.length === 1 : input.hidden.length === this.info.width;
  }

  async #watched<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      const gone = error instanceof EngineError && (error.code === 'lost' || error.code === 'disposed');
      if (gone && !this.#lost) {
        this.#lost = true;
        this.onLost();
      }
      throw error;
    }
  }
}
