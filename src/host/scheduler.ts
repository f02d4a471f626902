import { EngineError, type ForwardInput } from '../engine/index.ts';
import type { Clock } from '../swarm/index.ts';
import type { AbortCode, SamplingState } from '../wire/index.ts';
import type { Served } from './counters.ts';
import { logProbabilities } from './log-probabilities.ts';
import type { Sampled } from './outlet.ts';
import type { Pipeline, PipelineOutput } from './pipeline.ts';
import type { Rest } from './rest.ts';
import type { Run, Session } from './session.ts';
import type { HostCounters } from './types.ts';

/** Sessions of one run. A CPU gains little beyond, and the answers of all wait for the slowest. */
const MAX_BATCH = 32;

export interface SchedulerOptions {
  pipeline: Pipeline;
  clock: Clock;
  counters: HostCounters;
  served: Served;
  /** Shared by all schedulers of a slice, for they share the device. */
  rest: Rest;
  sample: ((logits: Float32Array, state: SamplingState) => number) | undefined;
  /** Positions were computed. */
  onPositions(count: number): void;
  /** A session cannot go on. */
  onFailed(session: Session, code: AbortCode, reason: string): void;
  /** The engine is gone: nothing can be computed any more. */
  onLost(reason: string): void;
}

/**
 * Continuous batching: decode steps that are ready run together, and between two such runs one chunk of one prefill, so
 * that a long prompt holds nobody's answer for longer than a chunk takes. While it rests, nothing is held: a stop takes
 * effect at once, and this peer's own sessions go on.
 */
export class Scheduler {
  /** In order of their turn for a prefill. */
  readonly #sessions = new Set<Session>();
  #running = false;
  #prefillIsNext = false;
  /** Ends the wait for the end of a rest. */
  #cancelRest: (() => void) | null = null;

  constructor(private readonly options: SchedulerOptions) {}

  add(session: Session): void {
    this.#sessions.add(session);
    this.wake();
  }

  remove(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    this.#cancelRest?.();
    this.#cancelRest = null;
  }

  /** Something is to be computed. */
  wake(): void {
    if (!this.#running) void this.#work();
  }

  async #work(): Promise<void> {
    this.#running = true;
    try {
      // One task later, so that frames that arrive together are computed together.
      await Promise.resolve();
      for (;;) {
        const ready = this.#ready();
        const steps = ready.filter(({ waitingRows }) => waitingRows === 1);
        const prefill = ready.find(({ waitingRows }) => waitingRows > 1);
        if (steps.length > 0 && !(prefill && this.#prefillIsNext)) {
          this.#prefillIsNext = true;
          await this.#timed(steps.slice(0, MAX_BATCH), (batch) => this.#decode(batch));
          // Those of a large crowd take turns.
          for (const session of steps.slice(0, MAX_BATCH)) this.#toTheEnd(session);
        } else if (prefill) {
          this.#prefillIsNext = false;
          this.#toTheEnd(prefill);
          await this.#timed([prefill], () => this.#alone(prefill, prefill.take()));
        } else break;
      }
      // During a rest the turn is kept: steps come at each end of one, and a prompt would wait for ever.
      if (this.options.rest.left === 0) this.#prefillIsNext = false;
    } finally {
      this.#running = false;
      this.#sleep();
    }
  }

  /** Sessions whose turn it may be: all of them, or this peer's own ones during a rest. */
  #ready(): Session[] {
    const resting = this.options.rest.left > 0;
    return [...this.#sessions].filter(({ own }) => own || !resting);
  }

  /** Wakes up when the rest is over, if somebody waits for that. */
  #sleep(): void {
    if (this.#cancelRest || ![...this.#sessions].some(({ waitingRows }) => waitingRows > 0)) return;
    const { clock, rest } = this.options;
    // At least one: what rounding leaves of a sum of fractions would never pass.
    this.#cancelRest = clock.after(Math.max(1, rest.left), () => {
      this.#cancelRest = null;
      rest.over();
      this.wake();
    });
  }

  /** A run, and the rest that it asks for: its part for others, when it served this very peer as well. */
  async #timed<T extends Session>(sessions: readonly T[], run: (sessions: readonly T[]) => Promise<void>) {
    const { clock, rest, served } = this.options;
    const others = sessions.filter(({ own }) => !own).length / sessions.length;
    const started = clock.now();
    await run(sessions);
    const ms = others * (clock.now() - started);
    served.ran(ms);
    rest.ran(ms);
  }

  async #decode(sessions: readonly Session[]): Promise<void> {
    const batch = sessions.map((session) => ({ session, run: session.take() }));
    if (batch.length === 1) return this.#alone(batch[0]!.session, batch[0]!.run);
    const { pipeline, clock, counters } = this.options;
    const started = clock.now();
    let outputs: PipelineOutput[];
    try {
      outputs = await pipeline.decode(
        batch.map(({ session, run }) => ({
          session: session.computing!,
          from: run.from,
          input: inputOf(session, run),
        })),
      );
    } catch {
      // One of them spoiled it, and alone it shows which.
      for (const { session, run } of batch) await this.#alone(session, run);
      return;
    }
    counters.sharedRuns++;
    const finished = batch.map((entry, at) => ({ ...entry, output: outputs[at]! }));
    try {
      await this.#heads(finished);
    } finally {
      // Each output says the time of the whole run, or of its own part where the back end has no batches.
      counters.computeMs += clock.now() - started;
    }
  }

  async #alone(session: Session, run: Run): Promise<void> {
    const { pipeline, counters } = this.options;
    let output: PipelineOutput;
    try {
      if (run.stop.signal.aborted) throw new EngineError('aborted', 'stopped');
      output = await pipeline.forward(
        session.computing!,
        run.from,
        run.rows,
        inputOf(session, run),
        run.stop.signal,
      );
    } catch (error) {
      this.#failed(session, run, error);
      return;
    }
    counters.computeMs += output.computeMs;
    await this.#heads([{ session, run, output }], true);
  }

  /** Gives every session its output; those whose client left the head here get a token first. */
  async #heads(
    runs: readonly { session: Session; run: Run; output: PipelineOutput }[],
    counted = false,
  ): Promise<void> {
    const { pipeline, counters } = this.options;
    const { width } = pipeline.info;
    const wanted = runs.filter(({ session, run }) => session.part.head && session.answers(run));
    const apart = wanted.filter(({ output }) => output.logits === null);
    const logits = new Map(wanted.map(({ run, output }) => [run, output.logits]));
    let headMs = 0;
    if (apart.length > 0)
      try {
        const rows = apart.map(({ output: { hidden } }) => hidden!.subarray(hidden!.length - width));
        const result = await pipeline.logits(rows);
        headMs = result.computeMs;
        if (counted) counters.computeMs += headMs;
        apart.forEach(({ run }, at) => {
          logits.set(run, result.logits[at]!);
        });
      } catch (error) {
        for (const { session, run } of apart) this.#failed(session, run, error);
      }
    for (const { session, run, output } of runs) {
      if (session.running !== run) continue;
      const mine = logits.get(run);
      this.#finish(session, run, output, mine ?? null, mine ? output.computeMs + headMs : output.computeMs);
    }
  }

  #finish(
    session: Session,
    run: Run,
    { hidden }: PipelineOutput,
    logits: Float32Array | null,
    computeMs: number,
  ): void {
    const { clock, counters, served, onPositions, onFailed } = this.options;
    if (run.rows > 1) counters.prefillPositions += run.rows;
    else counters.decodePositions += 1;
    counters.replayedPositions += Math.max(0, Math.min(run.from + run.rows, run.replayTo) - run.from);
    if (!session.own) served.computed(session.owner, run.rows);
    onPositions(run.rows);
    session.lastActive = clock.now();
    // What was cut while it ran is not answered: the client's generator has not drawn it.
    const current = run.until === run.from + run.rows && !session.closed;
    let token: Sampled | undefined;
    try {
      if (logits && current) token = this.#sample(session, run, logits);
    } catch (error) {
      session.finish(run, null);
      onFailed(session, 'bad-frame', messageOf(error));
      return;
    }
    try {
      session.finish(run, { rows: session.part.head ? null : hidden, token, computeMs });
    } catch (error) {
      onFailed(session, 'failed', messageOf(error));
    }
  }

  #sample(session: Session, run: Run, logits: Float32Array): Sampled {
    const state = run.sampling ?? session.outlet.sampling;
    const { sample } = this.options;
    if (!state || !sample)
      throw new EngineError('bad-input', 'A frame asks for a token and does not say how it is chosen.');
    const id = sample(logits, state);
    if (state.logprobs === undefined) return { id };
    return { id, logprobs: logProbabilities(logits, id, state.logprobs) };
  }

  #failed(session: Session, run: Run, error: unknown): void {
    session.finish(run, null);
    if (error instanceof EngineError && (error.code === 'lost' || error.code === 'disposed'))
      this.options.onLost(error.message);
    // Stopped or closed by the client: that was wanted.
    if (session.closed || run.stop.signal.aborted) return;
    this.options.onFailed(session, 'failed', messageOf(error));
  }

  #toTheEnd(session: Session): void {
    if (this.#sessions.delete(session)) this.#sessions.add(session);
  }
}

function inputOf(session: Session, run: Run): ForwardInput {
  return session.part.embed ? { tokens: run.values as Uint32Array } : { hidden: run.values as Float32Array };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The engine failed.';
}
