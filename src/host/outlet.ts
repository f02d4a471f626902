import type { Transport } from '../swarm/index.ts';
import {
  encodeMessage,
  type ForwardHidden,
  type HiddenType,
  type Message,
  type PeerAddress,
  payloadBytes,
  type SamplingState,
} from '../wire/index.ts';
import type { TokenLogprobs } from './log-probabilities.ts';
import { OutputLog } from './output-log.ts';
import type { HostCounters } from './types.ts';

/** Rows of one frame: what the next hop computes in one run. */
export const FRAME_ROWS = 64;
/** Bytes of one frame, so that rows of any width stay well under the wire's cap. */
const FRAME_BYTES = 8 * 1024 * 1024;
/** What belongs to the rows of one run besides the rows themselves. */
export interface RowNotes {
  from: number;
  /** Exclusive. */
  to: number;
  seq: number;
  phase: 'prefill' | 'decode';
  /** The tail answers rows from here on. */
  answerFrom: number;
  /** Of the hops before and of this one. */
  computeMs: number[];
}

/** A token that was drawn here for a client in light mode. */
export interface Sampled {
  id: number;
  /** When the client asked for them. */
  logprobs?: TokenLogprobs;
}

export interface Route {
  next: PeerAddress;
  /** Epoch of the link to it. */
  epoch: number;
}

/** A way to the next hop. A new one is made at each change of route; what waits for an old one gives up. */
class Link {
  readonly stop = new AbortController();
  /** One loop sends; true while it runs. */
  sending = false;
  down = false;
  constructor(readonly route: Route) {}
}

export interface OutletOptions {
  sessionId: string;
  transport: Transport;
  counters: HostCounters;
  /** For this very peer: not counted as served. */
  own: boolean;
  width: number;
  maxRows: number;
  dtype: HiddenType;
  /** What this hop's outputs are: rows for the next hop, rows for the client, or tokens for the client. */
  kind: 'rows' | 'answers' | 'tokens';
  route: Route;
  /** The next hop cannot be reached; told once per link. */
  onDown(reason: string): void;
}

/**
 * Where the outputs of a session leave the hop: the log, the **out position** (rows at or after it are to be sent), and
 * the one loop that sends them in order. Setting the out position back is a replay; it goes on into what comes live, so
 * nothing is left out or doubled. A slow next hop holds this loop and nothing else: what waits is only in the log.
 */
export class Outlet {
  readonly log: OutputLog;
  /** Positions computed; the log has as many rows, unless the outputs are tokens. */
  #length = 0;
  readonly #tokens = new Map<number, Sampled>();
  #position = 0;
  /** Set by a `session_init`; a frame's `deliver_from` counts no more. */
  #positionGiven = false;
  #deliverFrom = 0;
  /** For rows without notes: they are sent again, or for the first time after a change of route. */
  #answerFrom = Number.POSITIVE_INFINITY;
  #notes: RowNotes[] = [];
  #link: Link;
  /** While the client has stopped this generation nothing is sent. */
  paused = false;
  generation = 0;
  truncateTo = 0;
  sampling: SamplingState | undefined;
  lastSeq = 0;

  constructor(private readonly options: OutletOptions) {
    this.log = new OutputLog(options.width, options.maxRows, options.dtype);
    this.#link = new Link(options.route);
  }

  get route(): Route {
    return this.#link.route;
  }

  get down(): boolean {
    return this.#link.down;
  }

  /** Whether something is left to send that could be sent. */
  get busy(): boolean {
    return this.#link.sending || (!this.#link.down && !this.paused && this.#position < this.#length);
  }

  /** @param rows [rows, width] of `[notes.from, notes.to)`; null where the outputs are tokens */
  append(rows: Float32Array | null, notes: RowNotes, token?: Sampled): void {
    if (rows) this.log.append(rows);
    if (token !== undefined) this.#tokens.set(notes.to - 1, token);
    this.#length = notes.to;
    this.#notes.push(notes);
    this.wake();
  }

  /** Forgets positions from `length` on. */
  truncate(length: number): void {
    this.#position = Math.min(this.#position, length);
    this.#deliverFrom = Math.min(this.#deliverFrom, length);
    if (length >= this.#length) return;
    this.#length = length;
    this.log.truncate(length);
    for (const position of this.#tokens.keys()) if (position >= length) this.#tokens.delete(position);
    this.#notes = this.#notes.filter(({ from }) => from < length);
    for (const notes of this.#notes) notes.to = Math.min(notes.to, length);
  }

  /** A frame said which outputs its receiver is to send on. */
  deliverFrom(position: number): void {
    if (!this.#positionGiven) this.#position = Math.max(this.#position, position);
  }

  /** Outputs go to another peer, or over a new link, from `replay.from` on. */
  reroute(
    route: Route,
    replay: { from: number; deliver_from: number; answer_from: number } | undefined,
  ): void {
    this.#link.stop.abort();
    this.#link = new Link(route);
    if (replay) this.setPosition(replay);
    this.wake();
  }

  setPosition(replay: { from: number; deliver_from: number; answer_from: number }): void {
    this.#position = replay.from;
    this.#positionGiven = true;
    this.#deliverFrom = replay.deliver_from;
    this.#answerFrom = replay.answer_from;
    // Those of rows that were on their way are replaced: the client waits for a known position now.
    this.#notes = [];
  }

  /** The transport lost that peer. */
  gone(peer: string, reason: string): void {
    if (this.#link.route.next.peer === peer) this.#down(this.#link, reason);
  }

  close(): void {
    this.#link.down = true;
    this.#link.stop.abort();
  }

  /** Sends what there is to send, unless that is under way. */
  wake(): void {
    const link = this.#link;
    if (!link.sending && !link.down) void this.#send(link);
  }

  async #send(link: Link): Promise<void> {
    const { transport, counters, own } = this.options;
    link.sending = true;
    try {
      for (;;) {
        if (this.#link !== link || link.down || this.paused) return;
        const message = this.#take();
        if (!message) return;
        const frame = encodeMessage(message);
        await transport.send(link.route.next, frame, { signal: link.stop.signal });
        counters.bytesOut += frame.length;
        if (!own) counters.servedBytesOut += frame.length;
      }
    } catch (error) {
      if (!link.stop.signal.aborted)
        this.#down(link, error instanceof Error ? error.message : 'the link failed');
    } finally {
      link.sending = false;
    }
  }

  #down(link: Link, reason: string): void {
    if (link.down || link !== this.#link) return;
    link.down = true;
    link.stop.abort();
    this.options.onDown(reason);
  }

  /** The next message, its rows taken: the out position is behind them. */
  #take(): Message | null {
    const { width, kind } = this.options;
    const notes = this.#nextNotes();
    if (!notes) return null;
    const from = Math.max(this.#position, notes.from);
    const most = Math.max(1, Math.min(FRAME_ROWS, Math.floor(FRAME_BYTES / payloadBytes('fp32', 1, width))));
    if (kind !== 'rows') return this.#takeAnswer(notes, from, most);
    const to = Math.min(notes.to, from + most);
    this.#position = to;
    return {
      ...this.#rows(notes, from, to),
      ...(this.generation > 0 && { kv_truncate_to: this.truncateTo }),
      ...(Number.isFinite(notes.answerFrom) && { answer_from: notes.answerFrom }),
      ...(from < this.#deliverFrom && { deliver_from: this.#deliverFrom }),
      ...(this.sampling && { sampling: this.sampling }),
    };
  }

  /** Notes of the first rows that are to be sent; those of rows behind the out position are let go of. */
  #nextNotes(): RowNotes | null {
    // The tail acknowledges rows that it does not send: that paces the client.
    const passes = (notes: RowNotes) => notes.to <= this.#position && this.options.kind === 'rows';
    while (this.#notes[0] && passes(this.#notes[0])) this.#notes.shift();
    const first = this.#notes[0];
    const until = Math.min(this.#length, first?.from ?? this.#length);
    if (this.#position < until)
      return {
        from: this.#position,
        to: until,
        seq: this.lastSeq,
        phase: 'prefill',
        answerFrom: this.#answerFrom,
        computeMs: [],
      };
    return first ?? null;
  }

  /** The tail's: rows at or after `answer_from`, or the token of the last row, or how far it is. */
  #takeAnswer(notes: RowNotes, from: number, most: number): Message {
    const { sessionId, kind } = this.options;
    const first = Math.max(from, notes.answerFrom);
    if (kind === 'answers' && first + most < notes.to) {
      this.#position = first + most;
      return this.#rows(notes, first, first + most);
    }
    if (this.#notes[0] === notes) this.#notes.shift();
    this.#position = Math.max(this.#position, notes.to);
    const at = { generation: this.generation, epoch: this.#link.route.epoch };
    const computeMs = { compute_ms: notes.computeMs };
    if (kind === 'tokens') {
      const position = notes.to - 1;
      const sampled = first <= position ? this.#tokens.get(position) : undefined;
      if (sampled !== undefined)
        return {
          kind: 'token',
          session_id: sessionId,
          seq: notes.seq,
          logits_top_k: null,
          sampled: sampled.id,
          position,
          ...at,
          ...computeMs,
          ...(sampled.logprobs && {
            logprob: sampled.logprobs.logprob,
            top_logprobs: sampled.logprobs.top.map(({ id, logprob }): [number, number] => [id, logprob]),
          }),
        };
    } else if (first < notes.to) return { ...this.#rows(notes, first, notes.to), ...computeMs };
    return {
      kind: 'heartbeat',
      session_id: sessionId,
      last_seq: notes.seq,
      health: 0,
      length: this.#length,
      ...at,
      ...computeMs,
    };
  }

  #rows(notes: RowNotes, from: number, to: number): ForwardHidden {
    return {
      kind: 'forward_hidden',
      session_id: this.options.sessionId,
      seq: notes.seq,
      phase: notes.phase,
      dtype: this.log.dtype,
      shape: [1, to - from, this.options.width],
      payload: this.log.read(from, to),
      kv_delta: null,
      epoch: this.#link.route.epoch,
      generation: this.generation,
      position: from,
      // The work of a run is told once, with its first rows.
      compute_ms: from === notes.from ? notes.computeMs : [],
    };
  }
}
