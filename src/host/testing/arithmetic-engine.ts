import {
  type Engine,
  EngineError,
  type EngineInfo,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
} from '../../engine/index.ts';
import type { Part } from '../../wire/index.ts';

export const WIDTH = 4;
export const VOCABULARY = 32;
/** Bytes per token and layer. */
export const KV_BYTES = 10;
export const WEIGHT_BYTES = 1000;

interface Session {
  /** Per layer, the running sum after each position. */
  sums: number[][];
  length: number;
}

/** What engines of one test did. */
export class EngineDiary {
  opened = 0;
  closed = 0;
  /** [positions] of each run, in order; a batch is its sessions' positions. */
  readonly runs: number[][] = [];
  readonly engines: ArithmeticEngine[] = [];
}

/**
 * Layers that add what they saw at all positions so far: small whole numbers, so that a position which is missing,
 * doubled or out of order changes every later output, and equal means the same bits.
 */
export class ArithmeticEngine implements Engine {
  readonly info: EngineInfo;
  readonly sessions = new Map<number, Session>();
  disposed = false;
  /** Every run waits for this. */
  gate: Promise<void> = Promise.resolve();
  /** Told when a run has begun to wait at the gate. */
  onRun: (positions: number) => void = () => undefined;
  /** Every run fails with it. */
  failure: Error | null = null;
  #next = 1;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly part: Part,
    private readonly diary: EngineDiary,
    maxTokens: number,
  ) {
    const layers = part.end - part.start;
    const speed = { decodeMsPerToken: 2, prefillMsPerToken: 1, decodeMsPerLayer: 2, prefillMsPerLayer: 1 };
    this.info = {
      backend: 'node-cpu',
      arithmetic: 'exact',
      precision: 'float32',
      slice: part,
      width: WIDTH,
      vocabulary: VOCABULARY,
      maxTokens,
      weightBytes: WEIGHT_BYTES * layers,
      kvBytesPerToken: KV_BYTES * layers,
      threads: 1,
      speed,
      fallbacks: [],
      device: null,
    };
    diary.engines.push(this);
  }

  async open(): Promise<number> {
    const layers = this.part.end - this.part.start;
    this.sessions.set(this.#next, { sums: Array.from({ length: layers }, () => []), length: 0 });
    this.diary.opened++;
    return this.#next++;
  }

  forward(
    session: number,
    input: ForwardInput,
    { rows, signal }: ForwardOptions = {},
  ): Promise<ForwardOutput> {
    return this.#run([countOf(input)], signal, () => this.#compute(session, input, rows));
  }

  decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    return this.#run(
      batch.map(() => 1),
      undefined,
      () => {
        for (const { session } of batch) this.#find(session);
        return batch.map(({ session, input }) => this.#compute(session, input, undefined));
      },
    );
  }

  async truncate(session: number, length: number): Promise<void> {
    const found = this.#find(session);
    if (length > found.length) throw new EngineError('bad-input', `${found.length} positions, not ${length}`);
    for (const sums of found.sums) sums.length = length;
    found.length = length;
  }

  async close(session: number): Promise<void> {
    if (this.sessions.delete(session)) this.diary.closed++;
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.diary.closed += this.sessions.size;
    this.sessions.clear();
  }

  #run<T>(positions: number[], signal: AbortSignal | undefined, compute: () => T): Promise<T> {
    const run = this.#queue.then(async () => {
      this.onRun(positions.reduce((a, b) => a + b));
      await Promise.race([this.gate, aborted(signal)]);
      if (signal?.aborted) throw new EngineError('aborted', 'stopped');
      if (this.failure) throw this.failure;
      this.diary.runs.push(positions);
      return compute();
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  #compute(id: number, input: ForwardInput, rows: readonly number[] | undefined): ForwardOutput {
    const session = this.#find(id);
    const count = countOf(input);
    const out = 'tokens' in input ? embed(input.tokens) : input.hidden.slice();
    for (const [layer, sums] of session.sums.entries())
      for (let row = 0; row < count; row++) {
        const values = out.subarray(row * WIDTH, (row + 1) * WIDTH);
        const sum = values.reduce((a, b) => a + b) + 3 * (sums.at(-1) ?? layer + this.part.start);
        sums.push(sum % 997);
        values.forEach((value, i) => {
          values[i] = (value * 31 + (sum % 997) + i) % 1009;
        });
      }
    session.length += count;
    if (!this.part.head) return { hidden: out, logits: null, computeMs: 1 };
    const wanted = rows ?? [count - 1];
    const logits = new Float32Array(wanted.length * VOCABULARY);
    wanted.forEach((row, at) => {
      logits.set(logitsOf(out.subarray(row * WIDTH, (row + 1) * WIDTH)), at * VOCABULARY);
    });
    return { hidden: null, logits, computeMs: 1 };
  }

  #find(session: number): Session {
    const found = this.sessions.get(session);
    if (!found) throw new EngineError('no-session', `no session ${session}`);
    return found;
  }
}

/** Rows of token ids, [tokens, width]. */
export function embed(tokens: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: tokens.length * WIDTH }, (_, i) => {
    return (tokens[Math.floor(i / WIDTH)]! * 17 + (i % WIDTH)) % 1009;
  });
}

export function logitsOf(row: Float32Array): Float32Array {
  const sum = row.reduce((a, b) => a * 7 + b, 1);
  return Float32Array.from({ length: VOCABULARY }, (_, token) => (sum * (token + 3)) % 211);
}

function countOf(input: ForwardInput): number {
  return 'tokens' in input ? input.tokens.length : input.hidden.length / WIDTH;
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}
