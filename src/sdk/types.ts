import type { Arithmetic, Backend, EngineInfo, Precision } from '../engine/index.ts';
import type { ShoalError } from './errors.ts';

/** A model that this tab can load. */
export interface ModelEntry {
  /** Name to give as `model`; the cid works as well. */
  id: string;
  cid: string;
  name: string;
  layers: number;
  /** Bytes to fetch and keep. */
  bytes: number;
  /** True when all of it is kept in this browser. */
  cached: boolean;
  /** Bytes of it that are kept: more than none when a download was cut short. */
  kept: number;
  license: string | null;
  /** `relay`: listed by the relay; `file`: opened by the user. */
  origin: 'relay' | 'file';
}

export type Phase = 'idle' | 'fetching' | 'checking' | 'compiling' | 'ready' | 'failed';

export interface StorageUse {
  /** Bytes of models kept. */
  used: number;
  /** Bytes that the browser allows, null when it does not tell. */
  quota: number | null;
  /** True when the browser promised not to evict them by itself. */
  persisted: boolean;
  /** `memory`: nothing survives a reload; a notice says why. */
  kind: 'opfs' | 'folder' | 'memory';
}

/** Everything a page shows about the model and the engine. */
export interface Status {
  phase: Phase;
  model: ModelEntry | null;
  /** What is being done now, in plain words. */
  detail: string;
  /** Bytes done of `total`; both 0 when there is nothing to count. */
  done: number;
  total: number;
  /** Bytes per second of a download, 0 until there is something to measure. */
  bytesPerSecond: number;
  error: ShoalError | null;
  /** Back end, speed, and why a faster back end was not taken; null until a model is ready. */
  engine: EngineInfo | null;
  storage: StorageUse | null;
  /** Things that a user should know and that are no error: a lost GPU, storage that cannot be used, … */
  notices: string[];
}

/** A value that can be read and watched; it fits React's useSyncExternalStore. */
export interface Observable<T> {
  get(): T;
  /** Calls `listener` at each change. @returns a function that ends the subscription */
  subscribe(listener: (value: T) => void): () => void;
}

export type Role = 'system' | 'user' | 'assistant';
export interface Message {
  role: Role;
  content: string;
}

export type Route = 'auto' | 'local' | 'network';
export type Privacy = 'private' | 'light';

/** Parameters of `chat.completions.create`, as OpenAI names them, with a few of our own. */
export interface CompletionParameters {
  /** Id or cid from `models()`; default: the model that is loaded. */
  model?: string;
  messages: readonly Message[];
  /** 0 (always the likeliest token) to 2; default 1. */
  temperature?: number;
  /** 0 to 1; default 1. */
  top_p?: number;
  /** Most likely tokens considered, 0 for all; default 40. */
  top_k?: number;
  /** 0 to 1, relative to the most likely token; default 0.05. */
  min_p?: number;
  /** 0.1 to 10; default 1, which is none. */
  repetition_penalty?: number;
  /** Most tokens of the answer; default: what the context holds. */
  max_tokens?: number;
  /** The same seed gives the same text; default: random. */
  seed?: number;
  /** At most 4 strings that end the answer. */
  stop?: string | readonly string[] | null;
  stream?: boolean;
  /** Default `auto`. `network` is refused with `not-available` for now. */
  route?: Route;
  /** Default `private`. */
  privacy?: Privacy;
  signal?: AbortSignal;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Prompt tokens that were still in the KV cache and were not computed again. */
  prompt_tokens_details: { cached_tokens: number };
}

/** One peer that ran a slice of the model for an answer. */
export interface Hop {
  peer: string;
  start: number;
  end: number;
  path: string;
}

export interface Timings {
  /** Milliseconds from the start of the turn to the first token. */
  first_token_ms: number;
  /** Tokens per second after the first. */
  tokens_per_second: number;
  /** Milliseconds in the engine. */
  compute_ms: number;
  /** Milliseconds on the wire; 0 in the local route. */
  wire_ms: number;
}

/** How an answer came about; on a chunk: so far. */
export interface Provenance {
  route: 'local' | 'network';
  /** Peers that took part; empty in the local route. */
  hops: Hop[];
  /** Ids of all tokens of the answer so far, the one that ended it excluded. */
  token_ids: number[];
  timings: Timings;
  /** Times that an engine or a hop died during the answer and was replaced. */
  recoveries: number;
}

export type FinishReason = 'stop' | 'length';

/** An OpenAI `chat.completion`. */
export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: { index: 0; message: { role: 'assistant'; content: string }; finish_reason: FinishReason }[];
  usage: Usage;
  shoal: Provenance;
}

/** An OpenAI `chat.completion.chunk`. The last one carries `finish_reason` and `usage`. */
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: {
    index: 0;
    delta: { role?: 'assistant'; content?: string };
    finish_reason: FinishReason | null;
  }[];
  usage?: Usage;
  shoal: Provenance;
}

export interface Completions {
  /**
   * Answers a conversation. Calls run one after the other, in order; a call waits for a model that is still
   * loading. Leaving the iteration early (`break`) stops the work, and so does the signal.
   * @throws ShoalError `bad-request` (with `param`), `not-available`, `context-full`, `aborted`, …
   */
  create(parameters: CompletionParameters & { stream: true }): Promise<AsyncIterable<ChatCompletionChunk>>;
  create(parameters: CompletionParameters & { stream?: false }): Promise<ChatCompletion>;
  create(parameters: CompletionParameters): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>>;
}

export interface LoadModelOptions {
  onProgress?: (status: Status) => void;
  signal?: AbortSignal;
}

/** The programmable door of Shoal: what the page itself uses. */
export interface Shoal {
  /**
   * Resolves when a prompt can be taken. Rejects with a ShoalError when loading failed or was cancelled;
   * after the next `load()` it is a new promise, so read it again.
   */
  readonly ready: Promise<void>;
  readonly status: Observable<Status>;
  readonly chat: { readonly completions: Completions };
  /** Models this tab can load, the default one first, then files opened by the user. */
  models(): Promise<ModelEntry[]>;
  /** Fetches what is missing, checks it, and starts the engine; a model loaded before is let go. */
  load(model?: string, options?: LoadModelOptions): Promise<void>;
  /** Stops a load that is under way; what was fetched is kept. */
  cancel(): void;
  /**
   * Takes a model file (GGUF), or the files of a Hugging Face folder, checks it and keeps it.
   * @throws ShoalError `bad-model`, `no-space`, `unreachable`
   */
  addModel(files: File | URL | readonly File[], options?: LoadModelOptions): Promise<ModelEntry>;
  /** Deletes a model from this browser's storage. */
  remove(model: string): Promise<void>;
  /** Stops everything and frees the engine. */
  dispose(): Promise<void>;
}

export interface ShoalOptions {
  /** Address of the relay; default: the page's own. */
  relay?: string | URL;
  /** Model to load at the start; default: the one used last, else the relay's first. False: none. */
  model?: string | false;
  /** Back ends to try in order; default: the best that this browser has. */
  backends?: readonly Backend[];
  arithmetic?: Arithmetic;
  precision?: Precision;
  /** Threads of the WASM back end. */
  threads?: number;
  /** Cap on tokens of one conversation. */
  maxTokens?: number;
}
