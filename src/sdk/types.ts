import type { Arithmetic, Backend, EngineInfo, Precision } from '../engine/index.ts';
import type { LinkPath } from '../swarm/index.ts';
import type { ShoalError } from './errors.ts';
import type {
  Membership,
  NetworkMap,
  NetworkSnapshot,
  ShareLimits,
  ShareOptions,
  Sharing,
  UnshareOptions,
} from './network/types.ts';

export type * from './network/types.ts';

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
  /** Most tokens of one conversation, null until the model's manifest is here. */
  contextTokens: number | null;
  /** Whether this tab can probably run the whole of it; null until the manifest is here. */
  fit: ModelFit | null;
}

/** An estimate from the sizes of the tensors, made without loading anything. */
export interface ModelFit {
  /** Bytes that weights and the caches of one conversation take while it runs. */
  neededBytes: number;
  /** What this device lets a tab take; null when the browser does not tell. */
  deviceBytes: number | null;
  /** `tight`: above half of `deviceBytes`. `unknown`: the browser does not tell. */
  verdict: 'fits' | 'tight' | 'too-large' | 'unknown';
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
  /**
   * `local`: this tab runs the whole model. `network`: other peers run the middle of it, and only what this tab needs
   * is fetched. `auto` (default): local, and the network when this tab cannot run the model.
   */
  route?: Route;
  /**
   * On the network. `private` (default): words and token ids stay in this tab, peers get hidden states, out of which
   * a determined one may guess a part of the text, or all of it. `light`: nothing is computed here, and the first and last peer can
   * read the conversation.
   */
  privacy?: Privacy;
  /**
   * With `route: 'auto'`, while this tab's own weights are still on their way. `wait` (default): the answer comes when
   * they are here. `network`: this answer comes over the network, and the download stands back until its first token.
   */
  while_loading?: 'wait' | 'network';
  /**
   * The last message is the beginning of an answer, which is to be continued; only the continuation is given back.
   * The name is that of Hugging Face's chat templates.
   */
  continue_final_message?: boolean;
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
  /** Exclusive. */
  end: number;
  /** How its link to this tab travels: direct, relayed, websocket, local. */
  path: LinkPath;
  backend: string;
  /** Milliseconds there and back, null when not measured. */
  round_trip_ms: number | null;
}

export interface Timings {
  /** Milliseconds from the start of the turn to the first token. */
  first_token_ms: number;
  /** Tokens per second after the first. */
  tokens_per_second: number;
  /** Milliseconds in engines, all hops together. */
  compute_ms: number;
  /** Milliseconds that no engine accounts for; 0 in the local route. */
  wire_ms: number;
  /** Both of them for one token after the first; 0 before there are two. */
  compute_ms_per_token: number;
  wire_ms_per_token: number;
}

/** How an answer came about; on a chunk: so far. */
export interface Provenance {
  route: 'local' | 'network';
  /** Why the automatic route went over the network; null when it did not or nothing was to choose. */
  reason: string | null;
  privacy: Privacy;
  /** Peers that took part; empty in the local route. */
  hops: Hop[];
  /** Ids of all tokens of the answer so far, the one that ended it excluded. */
  token_ids: number[];
  timings: Timings;
  /** Times that an engine or a hop died during the answer and was replaced. */
  recoveries: number;
  /** What happened since the chunk before; all of it on a whole completion. At most 2,048 entries of an answer. */
  trace: TraceEntry[];
}

/**
 * One thing that happened during an answer. `at_ms`: when it began, in milliseconds since the question was taken up;
 * it took the `ms` after that.
 */
export type TraceEntry =
  /** The chain was found and opened, or the model became ready, `ms` after it was asked for. Always the first. */
  | { kind: 'opened'; at_ms: number; ms: number }
  /** The prefill, whose result is the first token; or the step after a token, whose result is the next one. */
  | {
      kind: 'prefill' | 'token';
      at_ms: number;
      ms: number;
      /** Positions computed. */
      positions: number;
      /** In this tab's own engine. */
      own_ms: number;
      /** By each hop in order; 0 where a hop did not tell. Empty in the local route. */
      hops_ms: number[];
      /** No engine accounts for these. */
      wire_ms: number;
    }
  /** A hop, or this tab's GPU, was lost. */
  | { kind: 'lost'; at_ms: number; peer: string | null; start: number; end: number; reason: string }
  /** Somebody else goes on; `ms`: the pause; `replayed`: positions computed again. */
  | { kind: 'recovered'; at_ms: number; ms: number; replayed: number; peers: string[] };

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
   * Answers a conversation. Local calls run one after the other, in order, and wait for a model that is still
   * loading; up to four on the network run at once, beside them. Leaving the iteration early (`break`) stops the
   * work, and so does the signal.
   * @throws ShoalError `bad-request` (with `param`), `not-available`, `context-full`, `no-peers` (the message says
   * which layers nobody holds), `no-capacity`, `unreachable`, `aborted`, …
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
  /**
   * Lends layers of a model to others: fetches only their tensors, loads them, checks that they compute right, and
   * resolves when the slice is announced. One slice at a time.
   * @throws ShoalError `bad-request` (layers outside the model, or already sharing), `no-engine`, `unreachable`, …
   */
  share(options?: ShareOptions): Promise<Sharing>;
  /** Takes nobody new, finishes what runs, and stops lending. Nothing happens when nothing is shared. */
  unshare(options?: UnshareOptions): Promise<void>;
  /** Takes nobody new and withdraws the record, but keeps the slice loaded; what runs is finished. */
  pauseSharing(): Promise<void>;
  /** Announces the slice again. */
  resumeSharing(): Promise<void>;
  /** Changes power and memory of what is lent, from the next step on. @throws ShoalError `bad-request` */
  limitSharing(limits: ShareLimits): void;
  /** Joins the network before it is needed; resolves when others can reach this tab. */
  join(options?: { signal?: AbortSignal }): Promise<void>;
  /** Own state in the network: what is shared and served. Costs nothing to watch, and does not join. */
  readonly membership: Observable<Membership>;
  /** The network as it is now; joins it when needed. @throws ShoalError `unreachable`, `not-available`, `aborted` */
  network(options?: { signal?: AbortSignal }): Promise<NetworkSnapshot>;
  /** The same, asked again every few seconds while somebody watches; joins with the first one who does. */
  readonly networkStatus: Observable<NetworkSnapshot>;
  /** The whole network as the relay sees it, told by it within two seconds; only while somebody watches. */
  readonly networkMap: Observable<NetworkMap>;
  /** Stops everything, says goodbye to the network, and frees the engines. */
  dispose(): Promise<void>;
}

/** As WebRTC's RTCIceServer. */
export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export interface ShoalOptions {
  /**
   * Relays: http(s) addresses, which models are fetched from as well (the first one), or multiaddrs, which are only
   * joined. Default: the page's own.
   */
  relay?: string | URL | readonly (string | URL)[];
  /** False: this Shoal never joins the network. Default true; it joins when first needed. */
  network?: boolean;
  /** STUN and TURN servers for links between tabs behind routers; default none. */
  iceServers?: readonly IceServer[];
  /**
   * How hidden states travel; default `fp32`, which loses nothing. Measured on the default model, greedy, against it:
   * `fp16` gave 320 of 320 tokens in half the bytes, `int8` 292 in a third of them (docs/performance.md).
   */
  wire?: 'fp32' | 'fp16' | 'int8';
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
