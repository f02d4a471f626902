import type { ManifestTensor } from '../model/index.ts';
import type { KvCache, SliceRunner } from './runtime/runner.ts';
import {
  type Engine,
  EngineError,
  type EngineInfo,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
} from './types.ts';
import { embedRows } from './weights/index.ts';

/** Sessions one engine holds at most, whatever their size. */
const MAX_SESSIONS = 1024;

export interface EmbeddingTable {
  tensor: ManifestTensor;
  bytes: Uint8Array;
}

interface Session {
  cache: KvCache;
  maxTokens: number;
}

/** The engine itself, on the thread that computes. A worker host puts it behind messages. */
export class SliceEngine implements Engine {
  private readonly sessions = new Map<number, Session>();
  private nextSession = 1;
  private disposed = false;
  private lost: EngineError | null = null;
  /** Tail of the queue: two overlapping runs hang onnxruntime's WebGPU back end for good. */
  private queue: Promise<unknown> = Promise.resolve();

  /**
   * @param maxChunk most positions of one run
   * @param memoryLimit bytes of weights and caches together
   */
  constructor(
    readonly info: EngineInfo,
    private readonly runner: SliceRunner,
    private readonly embedding: EmbeddingTable | null,
    private readonly maxChunk: number,
    private readonly memoryLimit: number,
  ) {}

  async open(options: { maxTokens?: number } = {}): Promise<number> {
    this.checkAlive();
    const maxTokens = options.maxTokens ?? this.info.maxTokens;
    if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > this.info.maxTokens)
      throw new EngineError('bad-input', `maxTokens must be 1 to ${this.info.maxTokens}, not ${maxTokens}`);
    if (this.sessions.size >= MAX_SESSIONS)
      throw new EngineError('out-of-memory', `${MAX_SESSIONS} sessions are open; close some first`);
    const session = this.nextSession++;
    this.sessions.set(session, { cache: this.runner.newCache(), maxTokens });
    return session;
  }

  async forward(session: number, input: ForwardInput, options: ForwardOptions = {}): Promise<ForwardOutput> {
    const positions = this.countPositions(input);
    const rows = checkRows(options.rows ?? [positions - 1], positions);
    return this.enqueue(async () => {
      const { cache } = this.room(session, positions);
      const before = cache.length;
      const started = performance.now();
      const parts: Float32Array[] = [];
      try {
        for (let from = 0; from < positions; from += this.maxChunk) {
          checkAborted(options.signal);
          const to = Math.min(positions, from + this.maxChunk);
          const wanted = rows.filter((row) => row >= from && row < to).map((row) => row - from);
          // The head always gets a row: an empty dimension is not safe on every back end.
          const result = await this.runner.run(
            [cache],
            this.hiddenOf(input, from, to),
            to - from,
            wanted.length > 0 ? wanted : [to - from - 1],
          );
          if (!this.info.slice.head || wanted.length > 0) parts.push(result);
        }
        checkAborted(options.signal);
        return this.output(join(parts), performance.now() - started);
      } catch (error) {
        // All or nothing: a failed or stopped call leaves the session as it was.
        cache.truncate(before);
        throw this.explain(error);
      }
    });
  }

  async decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    if (batch.length === 0) return [];
    if (new Set(batch.map((item) => item.session)).size !== batch.length)
      throw new EngineError('bad-input', 'a session can take part in a batch only once');
    for (const { input } of batch)
      if (this.countPositions(input) !== 1)
        throw new EngineError('bad-input', 'a batch takes one new position of each session');
    if (!this.runner.batches || batch.length === 1) {
      const outputs: ForwardOutput[] = [];
      for (const { session, input } of batch) outputs.push(await this.forward(session, input));
      return outputs;
    }
    return this.enqueue(async () => {
      const caches = batch.map(({ session }) => this.room(session, 1).cache);
      const lengths = caches.map((cache) => cache.length);
      const { width, vocabulary, slice } = this.info;
      const hidden = new Float32Array(batch.length * width);
      batch.forEach(({ input }, at) => {
        hidden.set(this.hiddenOf(input, 0, 1), at * width);
      });
      const started = performance.now();
      try {
        const rows = Array.from(batch, (_, at) => at);
        const result = await this.runner.run(caches, hidden, 1, rows);
        const computeMs = performance.now() - started;
        const size = slice.head ? vocabulary : width;
        return rows.map((at) => this.output(result.slice(at * size, (at + 1) * size), computeMs));
      } catch (error) {
        caches.forEach((cache, at) => {
          cache.truncate(lengths[at]!);
        });
        throw this.explain(error);
      }
    });
  }

  async truncate(session: number, length: number): Promise<void> {
    return this.enqueue(async () => {
      const { cache } = this.find(session);
      if (!Number.isInteger(length) || length < 0 || length > cache.length)
        throw new EngineError('bad-input', `cannot truncate ${cache.length} positions to ${length}`);
      cache.truncate(length);
    });
  }

  async close(session: number): Promise<void> {
    return this.enqueue(async () => {
      this.sessions.get(session)?.cache.dispose();
      this.sessions.delete(session);
    });
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.queue;
    for (const { cache } of this.sessions.values()) cache.dispose();
    this.sessions.clear();
    await this.runner.dispose();
  }

  /** The GPU went away: every later call says so. */
  markLost(reason: string): void {
    this.lost = new EngineError('lost', `the GPU was lost (${reason}); the model has to be loaded again`);
  }

  private enqueue<T>(task: () => Promise<T>): Promise<T> {
    const run = this.queue.then(() => {
      this.checkAlive();
      return task();
    });
    this.queue = run.catch(() => undefined);
    return run;
  }

  private checkAlive(): void {
    if (this.lost) throw this.lost;
    if (this.disposed) throw new EngineError('disposed', 'this engine has been closed; load the model again');
  }

  private find(session: number): Session {
    const found = this.sessions.get(session);
    if (!found) throw new EngineError('no-session', `session ${session} is not open here; open a new one`);
    return found;
  }

  /** The session, when it and the memory have room for that many more positions. */
  private room(session: number, positions: number): Session {
    const found = this.find(session);
    const total = found.cache.length + positions;
    if (total > found.maxTokens)
      throw new EngineError(
        'cache-full',
        `the session holds ${found.cache.length} of ${found.maxTokens} tokens and ${positions} more do not fit`,
      );
    let held = this.info.weightBytes + total * this.info.kvBytesPerToken;
    for (const [id, other] of this.sessions) if (id !== session) held += other.cache.bytes;
    if (held > this.memoryLimit)
      throw new EngineError(
        'out-of-memory',
        `the limit of ${Math.round(this.memoryLimit / 1e6)} MB for weights and caches is reached; close a session`,
      );
    return found;
  }

  /** Positions of an input whose form fits this slice. */
  private countPositions(input: ForwardInput): number {
    const { slice, width, vocabulary } = this.info;
    if ('tokens' in input) {
      if (!slice.embed)
        throw new EngineError('bad-input', 'this slice has no embedding: it takes hidden states, not tokens');
      if (input.tokens.length === 0) throw new EngineError('bad-input', 'no tokens given');
      for (let i = 0; i < input.tokens.length; i++) {
        const token = input.tokens[i]!;
        if (!Number.isInteger(token) || token < 0 || token >= vocabulary)
          throw new EngineError('bad-input', `token ${token} is not in the vocabulary of ${vocabulary}`);
      }
      return input.tokens.length;
    }
    if (slice.embed)
      throw new EngineError(
        'bad-input',
        'this slice carries the embedding: it takes tokens, not hidden states',
      );
    const { length } = input.hidden;
    if (length === 0 || length % width !== 0)
      throw new EngineError(
        'bad-input',
        `a hidden state has ${width} values; ${length} is no multiple of it`,
      );
    if (!allFinite(input.hidden))
      throw new EngineError('bad-input', 'the hidden state holds a value that is not a finite number');
    return length / width;
  }

  private hiddenOf(input: ForwardInput, from: number, to: number): Float32Array {
    const { width } = this.info;
    if ('hidden' in input) return input.hidden.subarray(from * width, to * width);
    const { tensor, bytes } = this.embedding!;
    return embedRows(tensor.type, bytes, width, Array.prototype.slice.call(input.tokens, from, to));
  }

  private output(result: Float32Array, computeMs: number): ForwardOutput {
    if (!allFinite(result))
      throw new EngineError('wrong-numbers', 'the back end computed a value that is not a finite number');
    return this.info.slice.head
      ? { hidden: null, logits: result, computeMs }
      : { hidden: result, logits: null, computeMs };
  }

  private explain(error: unknown): Error {
    if (this.lost) return this.lost;
    if (error instanceof EngineError) return error;
    const message = error instanceof Error ? error.message : String(error);
    if (/bad_alloc|out of memory|allocation failed/i.test(message))
      return new EngineError('out-of-memory', `the back end ran out of memory: ${message}`, { cause: error });
    return new EngineError('failed', `the back end failed: ${message}`, { cause: error });
  }
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EngineError('aborted', 'stopped');
}

function checkRows(rows: readonly number[], positions: number): readonly number[] {
  rows.forEach((row, at) => {
    if (!Number.isInteger(row) || row < 0 || row >= positions || (at > 0 && row <= rows[at - 1]!))
      throw new EngineError('bad-input', `rows must be ascending positions below ${positions}; got ${row}`);
  });
  if (rows.length === 0) throw new EngineError('bad-input', 'at least one row of logits must be asked for');
  return rows;
}

function join(parts: Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Zero times a finite number is zero; times NaN or infinity it is NaN, and a sum keeps that. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
