import type { Engine, EngineInfo } from '../engine/index.ts';
import type { Clock, Directory, LayerRange, Transport } from '../swarm/index.ts';
import type { Offer, Part, SamplingState } from '../wire/index.ts';

/** Tokens of one KV block, the unit of admission. */
export const BLOCK_TOKENS = 16;

export interface HostLimits {
  /** Milliseconds after which a session on which nothing came is closed. */
  idleMs: number;
  /** Milliseconds a drain may take before sessions that still run are ended. */
  drainMs: number;
  /** Sessions at most, whatever their size. */
  sessions: number;
  /** Sessions that one other peer may have open. This very peer may have all but an eighth of `sessions`. */
  sessionsPerPeer: number;
  /** Bytes of hidden states that may wait in the queue of one session. */
  queueBytes: number;
  /** Milliseconds between announcements. */
  announceMs: number;
}

export const HOST_LIMITS: HostLimits = {
  idleMs: 600_000,
  drainMs: 300_000,
  sessions: 64,
  sessionsPerPeer: 16,
  queueBytes: 64 * 1024 * 1024,
  announceMs: 300_000,
};

/** One slice to lend: layers whose weights this peer keeps. */
export interface LentSlice extends LayerRange {
  cid: string;
  /** Layers of the whole model. */
  layers: number;
  /** The part that is loaded at once and that most clients ask for; within the range. */
  main: Part;
  /**
   * Loads an engine for exactly this part: it has passed its self-test when this resolves. `measure`: only the main
   * part is measured. Parts that nobody uses are disposed of when the memory is needed. The head is asked for alone
   * (`start` and `end` are both `layers`), so that light and private sessions share the layers before it.
   */
  load(part: Part, options: { measure: boolean; signal: AbortSignal }): Promise<Engine>;
  /** Bytes that weights and caches may take together; read anew at each use, so that it may change. */
  readonly memoryBudget: number;
  /**
   * Part of the time that the engines may run for others, above 0 to 1, the default; read anew after each run. This
   * peer's own chains are not held back, and what they take is not counted.
   */
  readonly power?: number;
  /** Told the bytes that they take, weights about to be loaded included, whenever that changes. */
  onMemory?(bytes: number): void;
  /** Bytes of a part's weights before it is loaded, where that can be told; else it is guessed from the main part. */
  weightBytes?(part: Part): number;
  /** For this very peer's own chains only: never announced, in nobody else's hello, refused to others. */
  ownUse?: boolean;
}

/** What a host did since it started; all counters only rise. */
export interface HostCounters {
  /** Sessions opened, refused, and ended by an error. */
  opened: number;
  refused: number;
  failed: number;
  /** Positions computed in a prefill (more than one at once) and in decode steps; replays are in `replayed` as well. */
  prefillPositions: number;
  decodePositions: number;
  /** Positions that were computed because another hop was lost. */
  replayedPositions: number;
  /** Runs of the engine that served more than one session. */
  sharedRuns: number;
  computeMs: number;
  bytesIn: number;
  bytesOut: number;
  /** Frames dropped: of an older epoch or generation, from a peer that is not the previous hop, doubled. */
  droppedFrames: number;
  /** Peers cut off for garbage. */
  cutOff: number;
  /** What was done for others, this peer's own chains left out: different peers (at most 4,096), sessions opened. */
  peersHelped: number;
  sessionsServed: number;
  /** Decode steps, and positions in all. */
  tokensServed: number;
  positionsServed: number;
  /** Milliseconds that the engines ran. */
  servedMs: number;
  /** Bytes of hidden states that came, and of the messages that took results away. */
  servedBytesIn: number;
  servedBytesOut: number;
  /** Milliseconds during which others could open sessions here. */
  lentMs: number;
}

export interface HostedSlice extends LayerRange {
  cid: string;
  offer: Offer;
  /** Of the main part. */
  engine: EngineInfo;
  /** `paused`: as while draining, but the engines stay. */
  state: 'announcing' | 'paused' | 'draining' | 'stopped';
  /** True while the directory has its record. */
  announced: boolean;
}

export interface HostStatus {
  slices: HostedSlice[];
  /** Sessions open now. */
  sessions: number;
  /** Those of them that others opened. */
  serving: number;
  counters: HostCounters;
}

export interface HostOptions {
  transport: Transport;
  directory: Directory;
  clock: Clock;
  /** Program and version for `hello`. */
  agent: string;
  limits?: Partial<HostLimits>;
  /** A peer greeted, or greeted back, in another version of the protocol. */
  onOtherVersion?: (peer: string) => void;
  /**
   * Chooses the next token for a client that left the head to this peer (light mode). Without it no such session is
   * taken, and the offers say so.
   */
  sample?: (logits: Float32Array, state: SamplingState) => number;
}

/** Lends slices to others. One per peer; it answers hello and session messages that come over the transport. */
export interface Host {
  /**
   * Loads the main part, starts to serve the slice and announces it; resolves when the record is published, which is
   * tried until it succeeds.
   * @throws HostError `already-lent`, `bad-slice`, `aborted`, `closed`; EngineError, ModelError from loading
   */
  lend(slice: LentSlice, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Refuses new sessions, withdraws the record, finishes what runs (at most `drainMs`), disposes of the engines. A
   * session is finished when its client closes it, or when nothing has happened on it for five seconds: then it is
   * between two turns, and its client is told to go elsewhere. Aborting ends the running sessions at once.
   * @throws HostError `no-slice`
   */
  drain(cid: string, range: LayerRange, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Refuses new sessions and withdraws the record, but keeps the engines loaded. What runs is finished as in a drain,
   * which goes on after this resolves: it does when the record is withdrawn. A slice that is leaving goes on leaving.
   * @throws HostError `no-slice`
   */
  pause(cid: string, range: LayerRange): Promise<void>;
  /** Takes sessions again and publishes the record, which is tried until it succeeds. @throws HostError `no-slice` */
  resume(cid: string, range: LayerRange): void;
  status(): HostStatus;
  subscribe(listener: (status: HostStatus) => void): () => void;
  /** Tells every client of a running session, closes every session, withdraws every record. */
  close(reason: string): Promise<void>;
}

export type HostErrorCode =
  /** No such slice is lent. */
  | 'no-slice'
  /** The same range of the same model is lent already. */
  | 'already-lent'
  /** The slice contradicts itself, or its weights alone are above its memory budget. */
  | 'bad-slice'
  | 'aborted'
  | 'closed';

/** The one error class of `host/`. What a client did wrong is told to the client and never thrown. */
export class HostError extends Error {
  override readonly name = 'HostError';
  constructor(
    readonly code: HostErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
