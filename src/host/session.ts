import {
  decodeHidden,
  decodeTokens,
  type ForwardHidden,
  MAX_HOPS,
  type Part,
  type PeerAddress,
  type SamplingState,
  type SessionInit,
} from '../wire/index.ts';
import { FRAME_ROWS, type Outlet, type Sampled } from './outlet.ts';
import type { PipelineSession } from './pipeline.ts';

/** Rows that came with one frame and are not computed yet. */
interface Queued {
  position: number;
  rows: number;
  /** [rows, width], or one token id per row. */
  values: Float32Array | Uint32Array;
  seq: number;
  phase: 'prefill' | 'decode';
  answerFrom: number;
  /** Rows before this position are computed again because another hop was lost. */
  replayTo: number;
  computeMs: number[];
  sampling: SamplingState | undefined;
}

/** Rows that the engine computes now; `[from, from + rows)`. */
export interface Run extends Omit<Queued, 'position'> {
  from: number;
  /** Rows from this position on were cut while the engine ran: their outputs are dropped. */
  until: number;
  readonly stop: AbortController;
}

export interface SessionOptions {
  id: string;
  owner: string;
  /** Opened by this very peer. */
  own: boolean;
  part: Part;
  /** Most positions. */
  maxTokens: number;
  width: number;
  vocabulary: number;
  queueBytes: number;
  outlet: Outlet;
  init: Required<Pick<SessionInit, 'prev'>> & SessionInit;
}

/** What became of a frame. `bad`: no program of ours sends it; `garbage`: no honest one does. */
export type Verdict =
  | { type: 'queued' | 'dropped' | 'gap' }
  | { type: 'bad' | 'garbage' | 'overflow'; reason: string };

const DROPPED: Verdict = { type: 'dropped' };

/**
 * One session at one hop: the rules of `docs/protocol.md`, without time and without waiting. Frames go in by `accept`,
 * runs come out by `take` and go back by `finish`; everything may change in between.
 */
export class Session {
  readonly id: string;
  /** Peer that opened it: the only one whose control messages count. */
  readonly owner: string;
  readonly own: boolean;
  readonly part: Part;
  readonly maxTokens: number;
  readonly outlet: Outlet;
  /** Null until the engines have opened it. */
  computing: PipelineSession | null = null;
  epoch: number;
  generation: number;
  /** Positions in the KV cache. */
  length = 0;
  running: Run | null = null;
  closed = false;
  /** Clock time at which something came or was computed last. */
  lastActive = 0;
  #prev: PeerAddress;
  #inEpoch: number;
  /** The newest generation that the client stopped. */
  #stopped = -1;
  #gapTold = false;
  #queue: Queued[] = [];
  #queuedBytes = 0;

  constructor(private readonly options: SessionOptions) {
    const { init } = options;
    this.id = options.id;
    this.owner = options.owner;
    this.own = options.own;
    this.part = options.part;
    this.maxTokens = options.maxTokens;
    this.outlet = options.outlet;
    this.epoch = init.epoch ?? 0;
    this.generation = init.generation ?? 0;
    this.#prev = init.prev;
    this.#inEpoch = init.in_epoch ?? 0;
    this.outlet.generation = this.generation;
    this.outlet.truncateTo = init.kv_truncate_to ?? 0;
    this.outlet.sampling = init.sampling;
    if (init.replay) this.outlet.setPosition(init.replay);
  }

  /** Rows that wait: 0, 1 (a decode step) or more (a prefill). */
  get waitingRows(): number {
    return this.computing && !this.running && !this.closed ? (this.#queue[0]?.rows ?? 0) : 0;
  }

  /** Whether anything is under way: a run, a queue, outputs that are not sent. */
  get busy(): boolean {
    return this.running !== null || this.#queue.length > 0 || this.outlet.busy;
  }

  /** Position of the next row that is missing: behind what is computed, runs or waits. */
  get #expected(): number {
    const last = this.#queue.at(-1);
    if (last) return last.position + last.rows;
    const { running } = this;
    // A run that was cut as a whole may begin behind what is left.
    return running && running.until > running.from ? running.until : this.length;
  }

  /** Takes a frame from a peer, or says why not. */
  accept(from: string, frame: ForwardHidden): Verdict {
    const generation = frame.generation ?? 0;
    if (from !== this.#prev.peer || (frame.epoch ?? 0) !== this.#inEpoch) return DROPPED;
    if (generation < this.generation || generation <= this.#stopped) return DROPPED;
    const { position, kv_truncate_to: truncateTo } = frame;
    if (position === undefined) return { type: 'bad', reason: 'A frame does not say its position.' };
    if (generation > this.generation) {
      if (truncateTo === undefined)
        return { type: 'bad', reason: 'A frame of a new generation does not say what it forgets.' };
      this.#advance(generation, truncateTo);
    } else if (truncateTo !== undefined) this.outlet.truncateTo = truncateTo;

    const known = this.#expected - position;
    if (known < 0) {
      if (this.#gapTold) return DROPPED;
      this.#gapTold = true;
      return { type: 'gap' };
    }
    if (known >= frame.shape[1]) return DROPPED;
    return this.#enqueue(frame, position, known);
  }

  /** The client stopped this generation and older ones. */
  stop(generation: number): void {
    if (generation < this.generation) return;
    this.#stopped = Math.max(this.#stopped, generation);
    this.outlet.paused = true;
    this.#dropQueue();
    if (this.running) this.#limit(this.running, this.running.from);
  }

  /** Takes the new route of a `session_init` for a session that is open; one of an older epoch changes nothing. */
  reroute(init: SessionInit): void {
    const { epoch = 0, generation = 0, kv_truncate_to: truncateTo } = init;
    if (epoch < this.epoch) return;
    this.epoch = epoch;
    if (generation > this.generation && truncateTo !== undefined) this.#advance(generation, truncateTo);
    if (init.sampling) this.outlet.sampling = init.sampling;
    const { route } = this.outlet;
    const { in_epoch: inEpoch = this.#inEpoch, out_epoch: outEpoch = route.epoch } = init;
    this.#gapTold = false;
    // Epochs of a link only rise as well: what is older is about a link that is no more.
    if (inEpoch >= this.#inEpoch && init.prev) this.#prev = init.prev;
    // What is queued comes again over the new link.
    if (inEpoch > this.#inEpoch) this.#dropQueue();
    this.#inEpoch = Math.max(inEpoch, this.#inEpoch);
    const next = init.next ?? route.next;
    if (outEpoch < route.epoch) return;
    if (init.replay || outEpoch > route.epoch || next.peer !== route.next.peer)
      this.outlet.reroute({ next, epoch: outEpoch }, init.replay);
  }

  /** The next rows for the engine, at most those of one frame. `finish` must follow. */
  take(): Run {
    const head = this.#queue[0]!;
    const rows = Math.min(head.rows, FRAME_ROWS);
    const perRow = head.values.length / head.rows;
    const whole = rows === head.rows;
    this.#queuedBytes -= rows * perRow * head.values.BYTES_PER_ELEMENT;
    this.running = {
      ...head,
      from: head.position,
      until: head.position + rows,
      rows,
      // A copy, for a worker is sent the whole buffer behind a view.
      values: whole ? head.values : head.values.slice(0, rows * perRow),
      stop: new AbortController(),
    };
    if (whole) this.#queue.shift();
    else
      this.#queue[0] = {
        ...head,
        position: head.position + rows,
        rows: head.rows - rows,
        values: head.values.subarray(rows * perRow),
        // They are told once.
        computeMs: [],
      };
    return this.running;
  }

  /**
   * The engine has computed `run`, or was stopped (`output` is null).
   * @returns positions that count: the others were cut meanwhile
   */
  finish(
    run: Run,
    output: { rows: Float32Array | null; token: Sampled | undefined; computeMs: number } | null,
  ): number {
    this.running = null;
    if (this.closed || !output) return 0;
    const kept = Math.max(0, run.until - run.from);
    if (kept === 0) return 0;
    const width = this.options.width;
    this.length = run.from + kept;
    this.outlet.append(
      output.rows && (kept < run.rows ? output.rows.slice(0, kept * width) : output.rows),
      {
        from: run.from,
        to: this.length,
        seq: run.seq,
        phase: run.phase,
        answerFrom: run.answerFrom,
        computeMs: [...run.computeMs, output.computeMs].slice(-MAX_HOPS),
      },
      kept === run.rows ? output.token : undefined,
    );
    return kept;
  }

  /** Whether the last row of a run is one that the client waits for. */
  answers(run: Run): boolean {
    return run.from + run.rows > run.answerFrom;
  }

  close(): void {
    this.closed = true;
    this.#dropQueue();
    this.running?.stop.abort();
    this.outlet.close();
  }

  #enqueue(frame: ForwardHidden, position: number, known: number): Verdict {
    const { width, vocabulary, queueBytes, part } = this.options;
    const [, rows, columns] = frame.shape;
    if (position + rows > this.maxTokens)
      return {
        type: 'bad',
        reason: `The session was opened for ${this.maxTokens} positions and this is more.`,
      };
    const wanted = part.embed ? 1 : width;
    if ((frame.dtype === 'tokens') !== part.embed || columns !== wanted)
      return {
        type: 'bad',
        reason: `This hop takes ${part.embed ? 'token ids' : `rows of ${width} values`}, not ${columns} of ${frame.dtype}.`,
      };
    if (frame.dtype === 'bf16') return { type: 'bad', reason: 'bf16 is not taken here; send fp16 or fp32.' };
    if (this.#queuedBytes + 4 * rows * columns > queueBytes)
      return {
        type: 'overflow',
        reason: 'Frames came faster than they can be computed; wait for the answers.',
      };
    let values: Float32Array | Uint32Array;
    try {
      values = part.embed
        ? decodeTokens(frame.payload)
        : decodeHidden(frame.payload, frame.shape, frame.dtype);
    } catch (error) {
      return {
        type: 'garbage',
        reason: error instanceof Error ? error.message : 'The payload is no numbers.',
      };
    }
    if (part.embed && values.some((token) => token >= vocabulary))
      return { type: 'bad', reason: `A token is outside the vocabulary of ${vocabulary}.` };
    if (known > 0) values = values.slice(known * columns);

    this.#gapTold = false;
    if (frame.deliver_from !== undefined) this.outlet.deliverFrom(frame.deliver_from);
    if (frame.sampling) this.outlet.sampling = frame.sampling;
    this.outlet.lastSeq = Math.max(this.outlet.lastSeq, frame.seq);
    this.#queuedBytes += values.byteLength;
    this.#queue.push({
      position: position + known,
      rows: rows - known,
      values,
      seq: frame.seq,
      phase: frame.phase,
      answerFrom: frame.answer_from ?? Number.POSITIVE_INFINITY,
      replayTo: frame.deliver_from ?? 0,
      computeMs: frame.compute_ms ?? [],
      sampling: frame.sampling,
    });
    return { type: 'queued' };
  }

  /** A new generation: positions from `truncateTo` on are forgotten, here and in all that is under way. */
  #advance(generation: number, truncateTo: number): void {
    this.generation = generation;
    this.outlet.generation = generation;
    this.outlet.truncateTo = truncateTo;
    this.#gapTold = false;
    if (this.running) this.#limit(this.running, truncateTo);
    for (const queued of this.#queue.splice(0)) {
      const rows = Math.min(queued.rows, truncateTo - queued.position);
      if (rows <= 0) continue;
      const values = queued.values.slice(0, (rows * queued.values.length) / queued.rows);
      this.#queue.push({ ...queued, rows, values });
    }
    this.#queuedBytes = this.#queue.reduce((sum, { values }) => sum + values.byteLength, 0);
    this.length = Math.min(this.length, truncateTo);
    this.outlet.truncate(truncateTo);
    if (generation > this.#stopped) {
      this.outlet.paused = false;
      this.outlet.wake();
    }
  }

  #limit(run: Run, until: number): void {
    run.until = Math.max(run.from, Math.min(run.until, until));
    if (run.until === run.from) run.stop.abort();
  }

  #dropQueue(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
