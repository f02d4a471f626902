import type { Engine } from '../engine/index.ts';
import type { Manifest } from '../model/index.ts';
import type { Clock, Directory, LayerRange, LinkPath, Transport } from '../swarm/index.ts';
import type { ChainPeers } from './peers.ts';

/** Numbers of the design, decision 11. Milliseconds. */
export interface ChainLimits {
  /** Candidates kept per hop: one that runs and two backups. */
  candidates: number;
  probeMs: number;
  probeCacheMs: number;
  /** A step that takes longer sends the hop to its backup. */
  stepMs: number;
  /** Whole time that opening or mending a chain may take. */
  openMs: number;
  /** DHT query. */
  findMs: number;
  /** Positions of one prefill chunk. */
  chunk: number;
  /** Chunks on the way at once beyond the number of hops. */
  window: number;
  /** Most replacements of hops in one turn. */
  recoveries: number;
}

export const CHAIN_LIMITS: ChainLimits = {
  candidates: 3,
  probeMs: 800,
  probeCacheMs: 60_000,
  stepMs: 30_000,
  openMs: 15_000,
  findMs: 5_000,
  chunk: 64,
  window: 2,
  recoveries: 16,
};

export type Privacy = 'private' | 'light';

/** The part of the model that the client runs itself. */
export interface ClientParts {
  /** Embedding and layers `[0, front.info.slice.end)`; null in light mode when the first hop embeds. */
  front: Engine | null;
  /** Final norm and output matrix; null in light mode. */
  head: Engine | null;
}

export interface ChainOptions {
  transport: Transport;
  directory: Directory;
  clock: Clock;
  manifest: Manifest;
  cid: string;
  privacy: Privacy;
  parts: ClientParts;
  agent: string;
  /** 32 random bytes as hex: session ids must not be guessable. */
  randomId: () => string;
  /** Only hops at exact arithmetic in float32 (default), so that the text is that of one machine. */
  arithmetic?: 'exact' | 'any';
  /** Type of the hidden states on the wire; default lossless. */
  dtype?: 'fp32' | 'fp16' | 'int8';
  /** Most tokens of a session; default: what the model and the parts hold. */
  maxTokens?: number;
  /** A fixed plan, for tests and benches: the peers to take, in order; others may still stand in for them. */
  prefer?: readonly string[];
  /** Nobody else is asked, and no directory: a chain over known peers only. */
  only?: readonly string[];
  /**
   * Peers to take only for layers that nobody else can run, and as backups of everybody else: they are asked in any
   * case, also where no directory names them.
   */
  standIn?: readonly string[];
  /**
   * What several chains of one model share; whom to ask (`only`, `standIn`, `exclude`, `arithmetic`) is then said there.
   * It stays open when the chain is closed.
   */
  peers?: ChainPeers;
  /** Never ask these peers (by default nobody is excluded; the own host counts as a peer of path `local`). */
  exclude?: readonly string[];
  /**
   * Makes this very peer able to run a range that nobody else holds any more (its own host, over the loopback of the
   * transport). Resolves false when it cannot.
   */
  runLocally?: (range: LayerRange, signal: AbortSignal) => Promise<boolean>;
  limits?: Partial<ChainLimits>;
  onEvent?: (event: ChainEvent) => void;
}

/** One peer of a chain. */
export interface ChainHop extends LayerRange {
  peer: string;
  path: LinkPath;
  roundTripMs: number | null;
  backend: string;
  /** Peers that stand by for it. */
  backups: number;
}

export type ChainEvent =
  | { type: 'planned'; hops: ChainHop[] }
  | { type: 'lost'; peer: string; start: number; end: number; reason: string }
  /** `pauseMs`: from the loss being noticed to the first frame that came through the mended chain. */
  | { type: 'recovered'; hops: ChainHop[]; replayed: number; pauseMs: number };

/** What a chain's route and work look like so far; counters only rise. */
export interface ChainStatus {
  hops: ChainHop[];
  recoveries: number;
  /** Milliseconds in engines: the client's own and those of all hops. */
  computeMs: number;
  /** Milliseconds of steps that no engine accounts for. */
  wireMs: number;
  /** Milliseconds that finding and probing took. */
  findMs: number;
}

export type ChainErrorCode =
  /** Layers that nobody holds; `missing` says which. */
  | 'no-cover'
  /** There are holders, but none takes another session. */
  | 'no-capacity'
  /** Nobody answers: no relay, no link. */
  | 'unreachable'
  | 'deadline'
  | 'aborted'
  | 'cache-full'
  | 'no-session'
  | 'bad-input'
  | 'closed'
  | 'failed';

/** The one error class of `chain/`. */
export class ChainError extends Error {
  override readonly name = 'ChainError';
  readonly missing: readonly LayerRange[];
  constructor(
    readonly code: ChainErrorCode,
    message: string,
    options: ErrorOptions & { missing?: readonly LayerRange[] } = {},
  ) {
    super(message, options);
    this.missing = options.missing ?? [];
  }
}
