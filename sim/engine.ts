import {
  EngineError,
  type EngineInfo,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
} from '../src/engine/index.ts';
import type { Slice } from '../src/model/index.ts';
import {
  ArithmeticError,
  embed,
  type LayerState,
  logitsOf,
  throughLayer,
  VOCABULARY,
  WIDTH,
} from './arithmetic.ts';
import { Waiting } from './connection.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import type { SimEngine } from './sim-engine.ts';

/** Positions of one run: a call is stopped between two of them. */
const CHUNK = 16;

export interface Speed {
  /** Milliseconds of one position in one layer. */
  layerMs: number;
  /** Milliseconds that any run takes. */
  runMs: number;
}

interface Session {
  layers: LayerState[];
  maxTokens: number;
  /** Positions there are; also counted where the slice has no layers. */
  length: number;
}

/** What engines did; sums over a whole world. */
export class EngineLedger {
  opened = 0;
  closed = 0;
  positions = 0;
  /** What an engine was given that no right chain gives. Must stay empty. */
  readonly wrong: string[] = [];
  readonly engines = new Set<SimEngine>();
}

/** The arithmetic model behind the door of `engine/`, on the world's clock. */
export class ArithmeticEngine implements SimEngine {
  readonly info: EngineInfo;
  readonly sessions = new Map<number, Session>();
  disposed = false;
  lost = false;
  stuckUntil = 0;
  #next = 1;
  #freeAt = 0;

  constructor(
    private readonly scheduler: Scheduler,
    readonly actor: Actor,
    slice: Slice,
    private readonly totalLayers: number,
    private readonly speed: Speed,
    private readonly ledger: EngineLedger,
    { maxTokens, kvBytesPerToken }: { maxTokens: number; kvBytesPerToken: number },
  ) {
    const layers = slice.end - slice.start;
    this.info = {
      backend: 'node-cpu',
      arithmetic: 'exact',
      precision: 'float32',
      slice,
      width: WIDTH,
      vocabulary: VOCABULARY,
      maxTokens,
      weightBytes: 1000 * layers,
      kvBytesPerToken,
      threads: 1,
      speed: {
        decodeMsPerToken: speed.runMs + speed.layerMs * layers,
        prefillMsPerToken: speed.layerMs * layers,
        decodeMsPerLayer: speed.layerMs + speed.runMs / Math.max(1, layers),
        prefillMsPerLayer: speed.layerMs,
      },
      fallbacks: [],
      device: null,
    };
    ledger.engines.add(this);
  }

  async open({ maxTokens = this.info.maxTokens }: { maxTokens?: number } = {}): Promise<number> {
    this.#checkAlive();
    if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > this.info.maxTokens)
      throw new EngineError('bad-input', `maxTokens must be 1 to ${this.info.maxTokens}, not ${maxTokens}`);
    return this.#queued('open', 0, undefined, () => {
      const { start, end } = this.info.slice;
      const layers = Array.from({ length: end - start }, () => ({ digests: [] }));
      this.sessions.set(this.#next, { layers, maxTokens, length: 0 });
      this.ledger.opened++;
      return this.#next++;
    });
  }

  async forward(session: number, input: ForwardInput, options: ForwardOptions = {}): Promise<ForwardOutput> {
    const positions = this.#count(input);
    // The caller may use its array again.
    const held: ForwardInput =
      'hidden' in input ? { hidden: input.hidden.slice() } : { tokens: Array.from(input.tokens) };
    const ms = this.#cost(positions);
    return this.#queued(
      'forward',
      ms,
      options.signal,
      () => this.#compute(session, held, positions, options.rows ?? [positions - 1], ms),
      Math.ceil(positions / CHUNK),
    );
  }

  async decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    if (new Set(batch.map(({ session }) => session)).size !== batch.length)
      throw new EngineError('bad-input', 'a session can take part in a batch only once');
    if (batch.some(({ input }) => this.#count(input) !== 1))
      throw new EngineError('bad-input', 'a batch takes one new position of each session');
    const held = batch.map(({ session, input }) => ({
      session,
      input: 'hidden' in input ? { hidden: input.hidden.slice() } : { tokens: Array.from(input.tokens) },
    }));
    const ms = this.#cost(1) + 0.1 * batch.length;
    return this.#queued('decode', ms, undefined, () => {
      // All or nothing, as the real one.
      for (const { session } of held) this.#room(session, 1);
      return held.map(({ session, input }) => this.#compute(session, input, 1, [0], ms));
    });
  }

  async truncate(session: number, length: number): Promise<void> {
    return this.#queued('truncate', 0, undefined, () => {
      const found = this.#find(session);
      if (!Number.isInteger(length) || length < 0 || length > found.length)
        throw new EngineError('bad-input', `cannot truncate ${found.length} positions to ${length}`);
      for (const { digests } of found.layers) digests.length = length;
      found.length = length;
    });
  }

  async close(session: number): Promise<void> {
    return this.#queued('close', 0, undefined, () => {
      if (this.sessions.delete(session)) this.ledger.closed++;
    });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.ledger.closed += this.sessions.size;
    this.sessions.clear();
  }

  #compute(
    session: number,
    input: ForwardInput,
    positions: number,
    rows: readonly number[],
    computeMs: number,
  ): ForwardOutput {
    const found = this.#room(session, positions);
    const { slice } = this.info;
    const hidden = 'hidden' in input ? input.hidden : new Float32Array(positions * WIDTH);
    if ('tokens' in input)
      for (let p = 0; p < positions; p++) embed(input.tokens[p]!, found.length + p, hidden, p * WIDTH);
    try {
      for (let p = 0; p < positions; p++)
        found.layers.forEach((state, i) => {
          throughLayer(slice.start + i, state, hidden, p * WIDTH);
        });
      found.length += positions;
      this.ledger.positions += positions;
      if (!slice.head) return { hidden, logits: null, computeMs };
      const logits = new Float32Array(rows.length * VOCABULARY);
      rows.forEach((row, i) => {
        const values = hidden.subarray(row * WIDTH, (row + 1) * WIDTH);
        logits.set(logitsOf(values, this.totalLayers), i * VOCABULARY);
      });
      return { hidden: null, logits, computeMs };
    } catch (error) {
      if (error instanceof ArithmeticError) this.ledger.wrong.push(`${this.actor.name}: ${error.message}`);
      throw error;
    }
  }

  /** Runs a task when all before it are done, `ms` later. */
  #queued<T>(
    label: string,
    ms: number,
    signal: AbortSignal | undefined,
    task: () => T,
    runs = 1,
  ): Promise<T> {
    const { scheduler } = this;
    const done = new Waiting<T>(scheduler, this.actor, label);
    const started = Math.max(scheduler.now, this.#freeAt);
    let ends = Math.max(started + ms, this.stuckUntil) + 0.01;
    this.#freeAt = ends;
    const finish = () => {
      signal?.removeEventListener('abort', stop);
      if (done.settled) return;
      try {
        this.#checkAlive();
        if (signal?.aborted) throw new EngineError('aborted', 'stopped');
        done.resolve(task());
      } catch (error) {
        done.reject(error instanceof Error ? error : new Error('the engine failed', { cause: error }));
      }
    };
    let cancel = scheduler.at(ends, this.actor, `${this.actor.name} engine ${label}`, finish);
    const stop = () => {
      // The run that is under way ends first.
      const { now } = scheduler;
      const step = ms / runs;
      const at = now <= started ? Math.max(now, started) : started + Math.ceil((now - started) / step) * step;
      if (at >= ends) return;
      cancel();
      ends = Math.max(at, this.stuckUntil);
      cancel = scheduler.at(ends, this.actor, `${this.actor.name} engine stopped`, finish);
    };
    signal?.addEventListener('abort', stop, { once: true });
    return done.promise;
  }

  #cost(positions: number): number {
    const { start, end } = this.info.slice;
    return (
      this.speed.runMs * Math.ceil(positions / CHUNK) + this.speed.layerMs * positions * (end - start) + 0.02
    );
  }

  #checkAlive(): void {
    if (this.lost) throw new EngineError('lost', 'the GPU was lost; the model has to be loaded again');
    if (this.disposed) throw new EngineError('disposed', 'this engine has been closed; load the model again');
  }

  #find(session: number): Session {
    const found = this.sessions.get(session);
    if (!found) throw new EngineError('no-session', `session ${session} is not open here; open a new one`);
    return found;
  }

  #room(session: number, positions: number): Session {
    const found = this.#find(session);
    if (found.length + positions > found.maxTokens)
      throw new EngineError(
        'cache-full',
        `${found.length} of ${found.maxTokens} tokens are held; ${positions} more do not fit`,
      );
    return found;
  }

  #count(input: ForwardInput): number {
    const { embed: takesTokens } = this.info.slice;
    if ('tokens' in input) {
      if (!takesTokens || input.tokens.length === 0)
        throw new EngineError(
          'bad-input',
          takesTokens ? 'no tokens given' : 'this slice takes hidden states',
        );
      if (Array.prototype.some.call(input.tokens, (token: number) => !(token >= 0 && token < VOCABULARY)))
        throw new EngineError('bad-input', 'a token is not in the vocabulary');
      return input.tokens.length;
    }
    if (takesTokens) throw new EngineError('bad-input', 'this slice takes tokens');
    const { hidden } = input;
    if (hidden.length === 0 || hidden.length % WIDTH !== 0)
      throw new EngineError('bad-input', `${hidden.length} values are no rows of ${WIDTH}`);
    if (hidden.some((value) => !Number.isFinite(value))) {
      this.ledger.wrong.push(`${this.actor.name}: a value that is not finite came to the engine`);
      throw new EngineError('bad-input', 'the hidden state holds a value that is not a finite number');
    }
    return hidden.length / WIDTH;
  }
}
