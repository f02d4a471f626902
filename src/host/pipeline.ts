import type { Engine, ForwardInput } from '../engine/index.ts';
import { EngineError, type EngineInfo } from '../engine/index.ts';
import type { Part } from '../wire/index.ts';

/** One session in each engine of a pipeline. */
export interface PipelineSession {
  readonly ids: readonly number[];
  /** Positions that each engine holds; infinite when a failed batch left it unknown. */
  readonly held: number[];
}

export interface PipelineOutput {
  /** [rows, width]; null from an engine that has the head. */
  hidden: Float32Array | null;
  /** Of the last row, [vocabulary]; null from an engine without the head. */
  logits: Float32Array | null;
  /** Milliseconds in all engines. */
  computeMs: number;
}

/**
 * The engines that compute one part together: the main part with what comes before or after it, or one engine alone.
 * The head may be an engine of its own; it has no layers and thus no cache, so all sessions share one session in it.
 */
export class Pipeline {
  readonly info: EngineInfo;
  readonly maxTokens: number;
  readonly kvBytesPerToken: number;

  constructor(
    readonly part: Part,
    readonly engines: readonly Engine[],
    private readonly head: { engine: Engine; session: number } | null,
  ) {
    this.info = engines[0]!.info;
    this.maxTokens = Math.min(...engines.map(({ info }) => info.maxTokens));
    this.kvBytesPerToken = engines.reduce((sum, { info }) => sum + info.kvBytesPerToken, 0);
  }

  /** @throws EngineError `out-of-memory` */
  async open(maxTokens: number): Promise<PipelineSession> {
    const ids: number[] = [];
    try {
      for (const engine of this.engines) ids.push(await engine.open({ maxTokens }));
    } catch (error) {
      await Promise.allSettled(ids.map((id, at) => this.engines[at]!.close(id)));
      throw error;
    }
    return { ids, held: ids.map(() => 0) };
  }

  /** Frees the caches, also while a run is under way: the run fails. */
  async close({ ids }: PipelineSession): Promise<void> {
    // An engine that is lost or disposed of holds nothing any more.
    await Promise.allSettled(ids.map((id, at) => this.engines[at]!.close(id)));
  }

  /**
   * Computes positions `[from, from + rows)`; what the engines hold beyond `from` is forgotten first.
   * @throws EngineError
   */
  async forward(
    session: PipelineSession,
    from: number,
    rows: number,
    input: ForwardInput,
    signal: AbortSignal,
  ): Promise<PipelineOutput> {
    await this.#align(session, from);
    const sum: PipelineOutput = { hidden: null, logits: null, computeMs: 0 };
    let next = input;
    for (const [at, engine] of this.engines.entries()) {
      const output = await engine.forward(session.ids[at]!, next, { signal });
      session.held[at] = from + rows;
      sum.computeMs += output.computeMs;
      sum.logits = output.logits;
      sum.hidden = output.hidden;
      if (output.hidden) next = { hidden: output.hidden };
    }
    return sum;
  }

  /**
   * One position of each of several sessions, together. When it fails, each of them can still be tried alone.
   * @throws EngineError
   */
  async decode(
    batch: readonly { session: PipelineSession; from: number; input: ForwardInput }[],
  ): Promise<PipelineOutput[]> {
    for (const { session, from } of batch) await this.#align(session, from);
    const sums = batch.map((): PipelineOutput => ({ hidden: null, logits: null, computeMs: 0 }));
    let inputs = batch.map(({ input }) => input);
    for (const [at, engine] of this.engines.entries()) {
      // Some of them may be computed when it fails: not every back end has a batch that is all or nothing.
      for (const { session } of batch) session.held[at] = Number.POSITIVE_INFINITY;
      const outputs = await engine.decode(
        batch.map(({ session }, i) => ({ session: session.ids[at]!, input: inputs[i]! })),
      );
      inputs = outputs.map(({ hidden, logits, computeMs }, i) => {
        batch[i]!.session.held[at] = batch[i]!.from + 1;
        const sum = sums[i]!;
        sum.computeMs += computeMs;
        sum.logits = logits;
        sum.hidden = hidden;
        return hidden ? { hidden } : inputs[i]!;
      });
    }
    return sums;
  }

  /**
   * @param rows one row of [width] per session
   * @returns logits of each, [vocabulary]
   * @throws EngineError
   */
  async logits(rows: readonly Float32Array[]): Promise<{ logits: Float32Array[]; computeMs: number }> {
    if (!this.head) throw new EngineError('bad-input', 'this part was loaded without the head');
    const { engine, session } = this.head;
    const { width, vocabulary } = this.info;
    const hidden = new Float32Array(rows.length * width);
    rows.forEach((row, at) => {
      hidden.set(row, at * width);
    });
    const { logits, computeMs } = await engine.forward(
      session,
      { hidden },
      { rows: rows.map((_, at) => at) },
    );
    await engine.truncate(session, 0);
    return {
      logits: rows.map((_, at) => logits!.subarray(at * vocabulary, (at + 1) * vocabulary)),
      computeMs,
    };
  }

  async dispose(): Promise<void> {
    // The engine itself belongs to the parts and may serve others.
    if (this.head) await this.head.engine.close(this.head.session).catch(() => undefined);
  }

  async #align(session: PipelineSession, length: number): Promise<void> {
    for (const [at, engine] of this.engines.entries()) {
      if (session.held[at]! <= length) continue;
      await engine.truncate(session.ids[at]!, length);
      session.held[at] = length;
    }
  }
}
