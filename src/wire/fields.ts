import {
  also,
  badField,
  bytes,
  type Check,
  type Fields,
  flag,
  hex32,
  integer,
  list,
  map,
  nullable,
  oneOf,
  optional,
  real,
  text,
} from './checks.ts';
import { payloadBytes } from './hidden.ts';
import {
  MAX_ADDRESS_CHARS,
  MAX_ADDRESSES,
  MAX_COUNT,
  MAX_FRAME_POSITIONS,
  MAX_HISTORY_TOKENS,
  MAX_HOPS,
  MAX_LINKS,
  MAX_LOADED,
  MAX_LOGPROBS,
  MAX_OFFERS,
  MAX_POSITION,
  MAX_QUANTS,
  MAX_REASON_CHARS,
  MAX_TOP_K,
  MAX_WIDTH,
} from './limits.ts';
import {
  type AbortSession,
  type ForwardHidden,
  type Heartbeat,
  type Hello,
  type LayerRange,
  type LinkReport,
  MAX_FRAME_BYTES,
  type Message,
  type Offer,
  type Part,
  type PeerAddress,
  type SamplingState,
  type SessionAck,
  type SessionInit,
  type Token,
  WireError,
} from './types.ts';

/** Fields of every kind that IntelNav has, and those that only our peers have. */
type Native<M, K extends keyof M> = Fields<Pick<M, K>>;

const u16 = integer(0, 0xffff);
const u32 = integer(0, 0xffffffff);
/** IntelNav's u64, as far as a number is exact. */
const sequence = integer(0, Number.MAX_SAFE_INTEGER);
const position = integer(0, MAX_POSITION);
const count = integer(0, MAX_COUNT);
/** Eleven days: a time above is not one. */
const milliseconds = real(0, 1e9);
const key = bytes(32, 32);
const cid = text(256);
const computeMs = list(MAX_HOPS, milliseconds);

function ordered({ start, end }: LayerRange, name: string): void {
  if (start >= end) badField(name, 'a range with start below end');
}

const range: Fields<LayerRange> = { start: u16, end: u16 };
const layerRange = also(map(range), ordered);
const part: Check<Part> = also(map<Part>({ ...range, embed: flag, head: flag }), ordered);

const peerId = text(128, /^[0-9A-Za-z]+$/);
const peerAddress = map<PeerAddress>({
  peer: peerId,
  addrs: list(MAX_ADDRESSES, text(MAX_ADDRESS_CHARS, /^\/[!-~]*$/)),
});

const offer: Check<Offer> = also(
  map<Offer>({
    ...range,
    cid,
    embed: flag,
    head: flag,
    loaded: list(MAX_LOADED, part),
    load_ms: milliseconds,
    arithmetic: oneOf('exact', 'fast'),
    precision: oneOf('float32', 'float16'),
    backend: text(64),
    max_tokens: position,
    free_blocks: count,
    sessions: u16,
    decode_ms: milliseconds,
    prefill_ms: milliseconds,
    draining: flag,
    positions: sequence,
  }),
  ordered,
);

const link = map<LinkReport>({
  peer: peerId,
  path: oneOf('direct', 'relayed', 'websocket', 'tcp'),
  round_trip_ms: nullable(milliseconds),
});

/** The ranges are those of `chat/`'s sampling parameters. */
const sampling = also(
  map<SamplingState>({
    temperature: real(0, 2),
    top_k: integer(0, 1_000_000),
    top_p: real(0, 1),
    min_p: real(0, 1),
    repetition_penalty: real(0.1, 10),
    repetition_window: integer(0, MAX_HISTORY_TOKENS),
    seed: integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    drawn: position,
    history: bytes(0, 4 * MAX_HISTORY_TOKENS),
    logprobs: optional(integer(0, MAX_LOGPROBS)),
  }),
  ({ history }, name) => {
    if (history.length % 4 !== 0) badField(`${name}.history`, 'whole u32 token ids');
  },
);

/** [positions, width] come from the peer: both have caps, so their product is exact. */
const shape: Check<ForwardHidden['shape']> = (value, name) => {
  const [batch, positions, width] = list(3, u32)(value, name);
  if (batch !== 1 || positions === undefined || width === undefined)
    badField(name, '[1, positions, width]: one session per frame');
  if (positions < 1 || positions > MAX_FRAME_POSITIONS || width < 1 || width > MAX_WIDTH)
    badField(name, `[1, positions, width] with 1 to ${MAX_FRAME_POSITIONS} positions of 1 to ${MAX_WIDTH}`);
  return [1, positions, width];
};

function payloadFits(message: Pick<ForwardHidden, 'dtype' | 'shape' | 'payload'>, name: string): void {
  const { dtype, payload } = message;
  const [, positions, width] = message.shape;
  if (dtype === 'tokens' && width !== 1) badField(`${name}.shape`, '[1, positions, 1] for tokens');
  const wanted = payloadBytes(dtype, positions, width);
  if (payload.length !== wanted)
    throw new WireError(
      'bad-payload',
      `${name}.payload has ${payload.length} bytes; ${positions}×${width} values of ${dtype} take ${wanted}.`,
    );
}

const hello: Native<Hello, 'kind' | 'peer_id' | 'proto_ver' | 'supported_quants'> = {
  kind: oneOf('hello'),
  peer_id: hex32,
  proto_ver: u32,
  supported_quants: list(MAX_QUANTS, text(32)),
};

const sessionInit: Native<
  SessionInit,
  'kind' | 'session_id' | 'client_x25519_pub' | 'model_cid' | 'layer_range' | 'max_seq'
> = {
  kind: oneOf('session_init'),
  session_id: hex32,
  client_x25519_pub: key,
  model_cid: cid,
  layer_range: layerRange,
  max_seq: integer(1, MAX_POSITION),
};

const sessionAck: Native<SessionAck, 'kind' | 'session_id' | 'shard_x25519_pub'> = {
  kind: oneOf('session_ack'),
  session_id: hex32,
  shard_x25519_pub: key,
};

const forwardHidden: Native<
  ForwardHidden,
  'kind' | 'session_id' | 'seq' | 'phase' | 'dtype' | 'shape' | 'payload' | 'kv_delta' | 'kv_truncate_to'
> = {
  kind: oneOf('forward_hidden'),
  session_id: hex32,
  seq: sequence,
  phase: oneOf('prefill', 'decode'),
  dtype: oneOf('fp16', 'bf16', 'int8'),
  shape,
  payload: bytes(1, MAX_FRAME_BYTES),
  kv_delta: nullable(bytes(0, MAX_FRAME_BYTES)),
  kv_truncate_to: optional(position),
};

const topK: Check<[number, number][]> = list(MAX_TOP_K, (value, name) => {
  const pair: unknown[] = Array.isArray(value) && value.length === 2 ? value : badField(name, 'a pair');
  return [u32(pair[0], name), real(-3.5e38, 3.5e38)(pair[1], name)];
});

/** A logit of -infinity has no logarithm that is a number: it goes as the smallest one. */
const logprob = real(-3.5e38, 0);
const topLogprobs: Check<[number, number][]> = list(MAX_LOGPROBS, (value, name) => {
  const pair: unknown[] = Array.isArray(value) && value.length === 2 ? value : badField(name, 'a pair');
  return [u32(pair[0], name), logprob(pair[1], name)];
});

const token: Native<Token, 'kind' | 'session_id' | 'seq' | 'logits_top_k' | 'sampled'> = {
  kind: oneOf('token'),
  session_id: hex32,
  seq: sequence,
  logits_top_k: nullable(topK),
  sampled: u32,
};

const heartbeat: Native<Heartbeat, 'kind' | 'session_id' | 'last_seq' | 'health'> = {
  kind: oneOf('heartbeat'),
  session_id: hex32,
  last_seq: sequence,
  health: integer(0, 255),
};

const abortSession: Native<AbortSession, 'kind' | 'session_id' | 'reason'> = {
  kind: oneOf('abort_session'),
  session_id: hex32,
  reason: text(4 * MAX_REASON_CHARS),
};

type Kind = Message['kind'];
type Messages = { readonly [K in Kind]: Check<Extract<Message, { kind: K }>> };

/** Messages as IntelNav has them; all that is ours is left out. */
export const NATIVE_MESSAGES: Messages = {
  hello: map(hello),
  session_init: map(sessionInit),
  session_ack: map(sessionAck),
  forward_hidden: also(map(forwardHidden), payloadFits),
  token: map(token),
  heartbeat: map(heartbeat),
  abort_session: map(abortSession),
};

/** Messages between our own peers. */
export const MESSAGES: Messages = {
  hello: map<Hello>({
    ...hello,
    ask: optional(flag),
    nonce: optional(sequence),
    agent: optional(text(128)),
    offers: optional(list(MAX_OFFERS, offer)),
    want_links: optional(flag),
    links: optional(list(MAX_LINKS, link)),
  }),
  session_init: map<SessionInit>({
    ...sessionInit,
    epoch: optional(count),
    generation: optional(count),
    prev: optional(peerAddress),
    next: optional(peerAddress),
    in_epoch: optional(count),
    out_epoch: optional(count),
    embed: optional(flag),
    head: optional(flag),
    sampling: optional(sampling),
    replay: optional(map({ from: position, deliver_from: position, answer_from: position })),
    kv_truncate_to: optional(position),
    dtype: optional(oneOf('fp32', 'fp16', 'int8')),
  }),
  session_ack: map<SessionAck>({
    ...sessionAck,
    epoch: optional(count),
    generation: optional(count),
    length: optional(position),
  }),
  forward_hidden: also(
    map<ForwardHidden>({
      ...forwardHidden,
      dtype: oneOf('fp32', 'fp16', 'bf16', 'int8', 'tokens'),
      epoch: optional(count),
      generation: optional(count),
      position: optional(position),
      answer_from: optional(position),
      deliver_from: optional(position),
      sampling: optional(sampling),
      compute_ms: optional(computeMs),
    }),
    payloadFits,
  ),
  token: map<Token>({
    ...token,
    epoch: optional(count),
    generation: optional(count),
    position: optional(position),
    compute_ms: optional(computeMs),
    logprob: optional(logprob),
    top_logprobs: optional(topLogprobs),
  }),
  heartbeat: map<Heartbeat>({
    ...heartbeat,
    ask: optional(flag),
    epoch: optional(count),
    generation: optional(count),
    length: optional(position),
    compute_ms: optional(computeMs),
  }),
  abort_session: map<AbortSession>({
    ...abortSession,
    code: optional(
      oneOf(
        'done',
        'stopped',
        'refused-full',
        'refused-draining',
        'refused-version',
        'no-slice',
        'no-session',
        'bad-frame',
        'next-gone',
        'idle',
        'failed',
      ),
    ),
    keep: optional(flag),
    generation: optional(count),
    epoch: optional(count),
  }),
};

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(MESSAGES, kind);
}

/**
 * A message of which every field has its type and range, and none is there that the kind does not have.
 * @throws WireError `unknown-kind`, `bad-field`, `bad-payload`
 */
export function checkMessage(value: unknown, messages: Messages): Message {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : null;
  if (typeof kind !== 'string') badField('kind', 'a text');
  if (!isKind(kind))
    throw new WireError('unknown-kind', 'A message has a kind that is not spoken here: its sender is newer.');
  return messages[kind](value, kind);
}

/** A message with its reason cut to what is sent; lone surrogates have no UTF-8. */
export function withShortReason(message: Message): Message {
  if (message.kind !== 'abort_session') return message;
  const reason = message.reason.slice(0, MAX_REASON_CHARS).replace(/\p{Surrogate}/gu, '\ufffd');
  return { ...message, reason };
}
