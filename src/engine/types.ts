import type { Manifest, Slice, WeightsLocation } from '../model/index.ts';

/** What executes the graph. `jspi` and `webgpu` are the two WebGPU builds of onnxruntime-web. */
export type Backend = 'jspi' | 'webgpu' | 'wasm' | 'node-cpu' | 'node-cuda';

/** `exact`: float activations everywhere. `fast`: int8 activations where the back end has a faster kernel. */
export type Arithmetic = 'exact' | 'fast';
export type Precision = 'float32' | 'float16';

/** Milliseconds, measured at load on this machine. */
export interface EngineSpeed {
  decodeMsPerToken: number;
  prefillMsPerToken: number;
  decodeMsPerLayer: number;
  prefillMsPerLayer: number;
}

export interface LoadProgress {
  /** `reading` covers reading, hashing and repacking of weights. */
  stage: 'reading' | 'compiling' | 'testing' | 'measuring';
  /** Bytes of weights done, of `total`; equal once reading is over. */
  done: number;
  total: number;
}

export interface EngineInfo {
  backend: Backend;
  arithmetic: Arithmetic;
  precision: Precision;
  slice: Slice;
  /** Width of a hidden state. */
  width: number;
  vocabulary: number;
  /** Most tokens one session may hold. */
  maxTokens: number;
  /** Bytes of weights as held by the back end, and the embedding table. */
  weightBytes: number;
  /** Bytes of KV cache per token of one session. */
  kvBytesPerToken: number;
  threads: number;
  speed: EngineSpeed | null;
  /** Why a faster back end was not taken, in plain words, in the order they were tried. */
  fallbacks: string[];
  /** The GPU, where there is one. */
  device: string | null;
}

/** New positions of one session: token ids for a slice with the embedding, otherwise hidden states. */
export type ForwardInput =
  | { tokens: ArrayLike<number> }
  /** `hidden`: [tokens, width], row-major. */
  | { hidden: Float32Array };

export interface ForwardOutput {
  /** [tokens, width] from a slice without the head. */
  hidden: Float32Array | null;
  /** [rows, vocabulary] from a slice with the head. */
  logits: Float32Array | null;
  /** Milliseconds spent in the back end. */
  computeMs: number;
}

export interface ForwardOptions {
  /** Positions of this input whose logits are wanted, ascending; default: only the last. */
  rows?: readonly number[];
  signal?: AbortSignal;
}

/** Runs one slice of one model for several sessions. All calls are queued: none overlaps another. */
export interface Engine {
  readonly info: EngineInfo;
  /** Opens a session with an empty KV cache. Throws EngineError `out-of-memory` when the budget is spent. */
  open(options?: { maxTokens?: number }): Promise<number>;
  /** Appends positions to a session. Throws EngineError `cache-full`, `bad-input`, `no-session`, `aborted`, `lost`. */
  forward(session: number, input: ForwardInput, options?: ForwardOptions): Promise<ForwardOutput>;
  /** One new position for each of several sessions, in one run. Results are in order. */
  decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]>;
  /** Forgets positions from `length` on. Nothing is copied. */
  truncate(session: number, length: number): Promise<void>;
  close(session: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface LoadOptions {
  manifest: Manifest;
  slice: Slice;
  weights: WeightsLocation;
  /** Back ends to try in order; default: the best that this platform has. */
  backends?: readonly Backend[];
  arithmetic?: Arithmetic;
  precision?: Precision;
  /** Cap on tokens of one session; default: the model's context, at most 4096. */
  maxTokens?: number;
  /** Cap in bytes on weights and caches together. */
  memoryLimit?: number;
  /** Threads of a CPU back end. */
  threads?: number;
  /**
   * Whether threads of a CPU back end wait actively for the next operator of a run (default): fast on cores of their
   * own. On shared cores it steals from whoever has work to do. The numbers are the same.
   */
  spin?: boolean;
  /** Which GPU of `node-cuda`, as `cuda:1`; default the first. */
  device?: string;
  /** Skip the measurement (tests); default false. */
  measure?: boolean;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

export type EngineErrorCode =
  | 'no-backend'
  | 'wrong-numbers'
  | 'out-of-memory'
  | 'cache-full'
  | 'bad-input'
  | 'no-session'
  | 'aborted'
  | 'lost'
  | 'disposed'
  | 'failed';

/** The one error class of `engine/`. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
