/** Version of the messages. A peer that says another is not spoken with. */
export const PROTOCOL_VERSION = 1;
/** Bytes of one frame after its length, at most (IntelNav's cap). Checked before anything is allocated. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** 64 lower-case hexadecimal characters of 32 bytes. */
export type Hex32 = string;

/** A peer and where it can be reached. */
export interface PeerAddress {
  /** Peer id as libp2p writes it. */
  peer: string;
  /** Multiaddrs; may be empty when a link exists. */
  addrs: string[];
}

export interface LayerRange {
  start: number;
  /** Exclusive. */
  end: number;
}

/** Type of the values of a payload. `fp32` and `tokens` (u32 token ids, one per position) are ours. */
export type PayloadType = 'fp32' | 'fp16' | 'bf16' | 'int8' | 'tokens';

/** How a peer that holds the head chooses the next token; light mode only. Our field. */
export interface SamplingState {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  repetition_penalty: number;
  repetition_window: number;
  /** A safe integer. */
  seed: number;
  /** Tokens of this turn that were drawn before: the generator is that many draws further. */
  drawn: number;
  /** Tokens before the next, oldest first, as u32-LE; only what the repetition window needs. */
  history: Uint8Array;
  /** The token is to come with its log-probability and those of this many likeliest tokens, 0 to 20. */
  logprobs?: number;
}

/** A range of layers, with or without what comes before the first and after the last. */
export interface Part extends LayerRange {
  /** Takes token ids. */
  embed: boolean;
  /** Runs the final norm and the output matrix. */
  head: boolean;
}

/** One slice that a peer lends, and how it is doing. Our addition to `hello`. */
export interface Offer extends LayerRange {
  cid: string;
  /** It can load the embedding, and so take token ids when the range begins at 0. */
  embed: boolean;
  /** It can load the head, and sample, when the range ends with the model. */
  head: boolean;
  /** What is loaded now. Any other part of the range is loaded on demand, which takes about `load_ms` per layer. */
  loaded: Part[];
  load_ms: number;
  arithmetic: 'exact' | 'fast';
  precision: 'float32' | 'float16';
  backend: string;
  /** Most tokens of one session. */
  max_tokens: number;
  /** Free KV blocks of 16 tokens. */
  free_blocks: number;
  /** Sessions open now. */
  sessions: number;
  /** Milliseconds for one position and one layer, measured at load; 0 when not measured. */
  decode_ms: number;
  /** Milliseconds per position and layer in a prefill. */
  prefill_ms: number;
  /** No new session is taken; those that run are finished. */
  draining: boolean;
  /** Positions computed since the slice was loaded, replays included. */
  positions: number;
}

/** One link of the peer that tells of it. Our addition to `hello`. */
export interface LinkReport {
  /** Peer id of the other end. */
  peer: string;
  path: 'direct' | 'relayed' | 'websocket' | 'tcp';
  /** Milliseconds there and back, measured last; null before. */
  round_trip_ms: number | null;
}

/** Introduces a peer; with `ask`, wants a hello back. */
export interface Hello {
  kind: 'hello';
  peer_id: Hex32;
  proto_ver: number;
  supported_quants: string[];
  ask?: boolean;
  /** Repeated in the answer. */
  nonce?: number;
  /** Program and version, `shoal/0.1.0`. */
  agent?: string;
  offers?: Offer[];
  /** With `ask`: the answer is to carry `links`. Probes of a chain do without, for their answers to stay small. */
  want_links?: boolean;
  /** Links of the sender. */
  links?: LinkReport[];
}

/** Opens a session on a hop, or changes the route of one that is open (higher epoch). */
export interface SessionInit {
  kind: 'session_init';
  session_id: Hex32;
  /** 32 bytes; zeros, as IntelNav sends. */
  client_x25519_pub: Uint8Array;
  model_cid: string;
  /** The layers this hop runs; they may be fewer than the slice that it lends. */
  layer_range: LayerRange;
  max_seq: number;
  /** Below: ours. A native session has no route: the hop answers whoever asked. */
  epoch?: number;
  generation?: number;
  /** Who sends frames to this hop. */
  prev?: PeerAddress;
  /** Who gets its outputs; the client itself for the last hop. */
  next?: PeerAddress;
  /** Epochs of the two links; a frame of another epoch is dropped. */
  in_epoch?: number;
  out_epoch?: number;
  /** This hop gets token ids (light mode, first hop). */
  embed?: boolean;
  /** This hop runs the head and samples (light mode, last hop). */
  head?: boolean;
  sampling?: SamplingState;
  /** Send again what was sent, from `from` on; the receiver is to deliver on only positions from `deliver_from`. */
  replay?: { from: number; deliver_from: number; answer_from: number };
  /** Positions that stay, when the session is open already. */
  kv_truncate_to?: number;
  /** Type of the hidden states that this hop sends on. */
  dtype?: 'fp32' | 'fp16' | 'int8';
}

export interface SessionAck {
  kind: 'session_ack';
  session_id: Hex32;
  shard_x25519_pub: Uint8Array;
  epoch?: number;
  generation?: number;
  /** Positions that the hop holds. */
  length?: number;
}

/** Hidden states (or token ids) of consecutive positions of one session. */
export interface ForwardHidden {
  kind: 'forward_hidden';
  session_id: Hex32;
  seq: number;
  phase: 'prefill' | 'decode';
  dtype: PayloadType;
  /** [batch, positions, width]; batch is 1; for `tokens` width is 1. */
  shape: [number, number, number];
  /** Row-major, little-endian. */
  payload: Uint8Array;
  kv_delta: Uint8Array | null;
  /** Positions from here on are forgotten before this frame is taken. Goes with a higher generation. */
  kv_truncate_to?: number;
  /** Below: ours. Epoch of the link it travels on. */
  epoch?: number;
  /** How often the session was cut back; frames of an older one are dropped. */
  generation?: number;
  /** Position of the first row. */
  position?: number;
  /** The tail answers rows from this position on; with none it acknowledges by a heartbeat. */
  answer_from?: number;
  /** Outputs before this position are kept for a replay but not sent on. */
  deliver_from?: number;
  sampling?: SamplingState;
  /** Milliseconds that each hop before spent computing these rows, in order of the chain. */
  compute_ms?: number[];
}

/** The next token, sampled by the tail (light mode). */
export interface Token {
  kind: 'token';
  session_id: Hex32;
  seq: number;
  logits_top_k: [number, number][] | null;
  sampled: number;
  epoch?: number;
  generation?: number;
  /** Position of the row that it was sampled from. */
  position?: number;
  compute_ms?: number[];
  /** Natural logarithm of its probability (temperature 1, nothing cut off), when it was asked for. */
  logprob?: number;
  /** The likeliest tokens and their log-probabilities, likeliest first. */
  top_logprobs?: [number, number][];
}

/** State of a session at a hop: an acknowledgement from the tail, or an answer to `ask`. */
export interface Heartbeat {
  kind: 'heartbeat';
  session_id: Hex32;
  last_seq: number;
  /** 0 well; 1 frames before this one are missing; 2 the next hop cannot be reached. */
  health: number;
  ask?: boolean;
  epoch?: number;
  generation?: number;
  /** Positions computed. */
  length?: number;
  compute_ms?: number[];
}

/** Why a session ended, or was not taken. */
export type AbortCode =
  | 'done'
  | 'stopped'
  | 'refused-full'
  | 'refused-draining'
  | 'refused-version'
  | 'no-slice'
  | 'no-session'
  | 'bad-frame'
  | 'next-gone'
  | 'idle'
  | 'failed';

/** Ends a session; with `keep` it only drops what is queued of `generation` and older, and the caches stay. */
export interface AbortSession {
  kind: 'abort_session';
  session_id: Hex32;
  reason: string;
  code?: AbortCode;
  keep?: boolean;
  generation?: number;
  epoch?: number;
}

export type Message = Hello | SessionInit | SessionAck | ForwardHidden | Token | Heartbeat | AbortSession;

export type WireErrorCode =
  /** The length before the frame is above the cap, or zero. */
  | 'too-large'
  /** No CBOR, or CBOR that ends early or late. */
  | 'malformed'
  /** A kind of message that nobody here speaks. */
  | 'unknown-kind'
  /** A field is missing, has another type, or is out of range. */
  | 'bad-field'
  /** A payload whose length or values do not fit its shape and type: NaN, infinities. */
  | 'bad-payload';

/** The one error class of `wire/`. */
export class WireError extends Error {
  override readonly name = 'WireError';
  constructor(
    readonly code: WireErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
