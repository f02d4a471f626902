import type { Message } from '../types.ts';

/**
 * A second opinion on what a decoder lets through, written apart from it: walks the message by its own table of rules
 * and throws a plain Error at the first thing that another room could stumble over.
 */
export function expectStrict(message: Message, native: boolean): void {
  const rules = RULES[message.kind];
  if (!rules) throw new Error('an unknown kind');
  const names = native ? rules.native.split(' ') : `${rules.native} ${rules.ours}`.split(' ');
  for (const [key, value] of Object.entries(message)) {
    if (!names.includes(key)) throw new Error(`${message.kind} has ${key}`);
    if (value === undefined) throw new Error(`${key} is there, but undefined`);
    const rule = VALUES[key];
    if (!rule) throw new Error(`no rule for ${key}`);
    if (!rule(value)) throw new Error(`${message.kind}.${key} is not sound`);
  }
  for (const key of rules.needed.split(' '))
    if (!Object.hasOwn(message, key)) throw new Error(`${message.kind} has no ${key}`);
  if (message.kind === 'forward_hidden')
    expectFits(message.dtype, message.shape, message.payload.length, native);
}

function expectFits(
  dtype: string,
  [batch, rows, width]: readonly number[],
  length: number,
  native: boolean,
): void {
  const values = rows! * width!;
  const sizes: Record<string, number> = { fp16: 2 * values, bf16: 2 * values, int8: values + 4 * rows! };
  if (!native) Object.assign(sizes, { fp32: 4 * values, tokens: width === 1 ? 4 * rows! : -1 });
  if (batch !== 1 || !(values > 0) || sizes[dtype] !== length) throw new Error('a payload that does not fit');
}

type Rule = (value: unknown) => boolean;

const whole =
  (low: number, high: number): Rule =>
  (v) =>
    typeof v === 'number' && Number.isInteger(v) && v >= low && v <= high;
const within =
  (low: number, high: number): Rule =>
  (v) =>
    typeof v === 'number' && v - v === 0 && v >= low && v <= high;
const chars =
  (most: number): Rule =>
  (v) =>
    typeof v === 'string' && v.length <= most;
const octets =
  (low: number, high: number): Rule =>
  (v) =>
    Object.getPrototypeOf(v) === Uint8Array.prototype &&
    v instanceof Uint8Array &&
    v.length >= low &&
    v.length <= high;
const many =
  (most: number, rule: Rule): Rule =>
  (v) =>
    Array.isArray(v) && v.length <= most && v.every((one) => rule(one));
const word =
  (...words: string[]): Rule =>
  (v) =>
    typeof v === 'string' && words.includes(v);
/** Exactly these keys, no more but those that may be there. */
const shaped =
  (needed: Record<string, Rule>, maybe: Record<string, Rule> = {}): Rule =>
  (v) => {
    if (typeof v !== 'object' || v === null || Object.getPrototypeOf(v) !== Object.prototype) return false;
    const rules = { ...needed, ...maybe };
    const keys = Object.keys(v);
    if (!Object.keys(needed).every((key) => keys.includes(key))) return false;
    if (!keys.every((key) => key in rules)) return false;
    const ordered = !('end' in v) || Number(Reflect.get(v, 'start')) < Number(Reflect.get(v, 'end'));
    return ordered && keys.every((key) => rules[key]!(Reflect.get(v, key)));
  };

const yes: Rule = (v) => v === true || v === false;
const layer = whole(0, 65535);
const index = whole(0, 2 ** 24);
const counter = whole(0, 2 ** 32 - 1);
const safe = whole(0, 2 ** 53 - 1);
const hex: Rule = (v) => typeof v === 'string' && v.length === 64 && !/[^0-9a-f]/.test(v);
const time = within(0, 1e9);
const peerId: Rule = (v) =>
  typeof v === 'string' && v.length > 0 && v.length <= 128 && !/[^0-9A-Za-z]/.test(v);
const address = shaped({
  peer: peerId,
  addrs: many(16, (v) => typeof v === 'string' && v.length <= 512 && v[0] === '/' && !/[^!-~]/.test(v)),
});
const link = shaped({
  peer: peerId,
  path: word('direct', 'relayed', 'websocket', 'tcp'),
  round_trip_ms: (v) => v === null || time(v),
});
const part = { start: layer, end: layer, embed: yes, head: yes };
const offer = {
  ...part,
  cid: chars(256),
  loaded: many(64, shaped(part)),
  load_ms: time,
  arithmetic: word('exact', 'fast'),
  precision: word('float32', 'float16'),
  backend: chars(64),
  max_tokens: index,
  free_blocks: counter,
  sessions: whole(0, 65535),
  decode_ms: time,
  prefill_ms: time,
  draining: yes,
  positions: safe,
};
const sampling = {
  temperature: within(0, 2),
  top_k: whole(0, 1e6),
  top_p: within(0, 1),
  min_p: within(0, 1),
  repetition_penalty: within(0.1, 10),
  repetition_window: whole(0, 65536),
  seed: whole(-(2 ** 53 - 1), 2 ** 53 - 1),
  drawn: index,
  history: (v: unknown) => octets(0, 262_144)(v) && v instanceof Uint8Array && v.length % 4 === 0,
};

const VALUES: Record<string, Rule> = {
  kind: (v) => typeof v === 'string',
  peer_id: hex,
  proto_ver: counter,
  supported_quants: many(32, chars(32)),
  ask: yes,
  nonce: safe,
  agent: chars(128),
  offers: many(64, shaped(offer)),
  want_links: yes,
  links: many(64, link),
  session_id: hex,
  client_x25519_pub: octets(32, 32),
  shard_x25519_pub: octets(32, 32),
  model_cid: chars(256),
  layer_range: shaped({ start: layer, end: layer }),
  max_seq: whole(1, 2 ** 24),
  epoch: counter,
  in_epoch: counter,
  out_epoch: counter,
  generation: counter,
  prev: address,
  next: address,
  embed: yes,
  head: yes,
  sampling: shaped(sampling, { logprobs: whole(0, 20) }),
  replay: shaped({ from: index, deliver_from: index, answer_from: index }),
  kv_truncate_to: index,
  dtype: word('fp32', 'fp16', 'bf16', 'int8', 'tokens'),
  length: index,
  seq: safe,
  phase: word('prefill', 'decode'),
  shape: many(3, whole(1, 65536)),
  payload: octets(1, 2 ** 24),
  kv_delta: (v) => v === null || octets(0, 2 ** 24)(v),
  position: index,
  answer_from: index,
  deliver_from: index,
  compute_ms: many(64, time),
  logits_top_k: (v) =>
    v === null ||
    many(1024, (p) => Array.isArray(p) && p.length === 2 && counter(p[0]) && within(-4e38, 4e38)(p[1]))(v),
  sampled: counter,
  logprob: within(-4e38, 0),
  top_logprobs: many(
    20,
    (p) => Array.isArray(p) && p.length === 2 && counter(p[0]) && within(-4e38, 0)(p[1]),
  ),
  last_seq: safe,
  health: whole(0, 255),
  reason: chars(4096),
  code: chars(16),
  keep: yes,
};

/** `needed`: keys that are always there, also when null. */
const RULES: Record<string, { native: string; ours: string; needed: string }> = {
  hello: {
    native: 'kind peer_id proto_ver supported_quants',
    ours: 'ask nonce agent offers want_links links',
    needed: 'kind peer_id proto_ver supported_quants',
  },
  session_init: {
    native: 'kind session_id client_x25519_pub model_cid layer_range max_seq',
    ours: 'epoch generation prev next in_epoch out_epoch embed head sampling replay kv_truncate_to dtype',
    needed: 'kind session_id client_x25519_pub model_cid layer_range max_seq',
  },
  session_ack: {
    native: 'kind session_id shard_x25519_pub',
    ours: 'epoch generation length',
    needed: 'kind session_id shard_x25519_pub',
  },
  forward_hidden: {
    native: 'kind session_id seq phase dtype shape payload kv_delta kv_truncate_to',
    ours: 'epoch generation position answer_from deliver_from sampling compute_ms',
    needed: 'kind session_id seq phase dtype shape payload kv_delta',
  },
  token: {
    native: 'kind session_id seq logits_top_k sampled',
    ours: 'epoch generation position compute_ms logprob top_logprobs',
    needed: 'kind session_id seq logits_top_k sampled',
  },
  heartbeat: {
    native: 'kind session_id last_seq health',
    ours: 'ask epoch generation length compute_ms',
    needed: 'kind session_id last_seq health',
  },
  abort_session: {
    native: 'kind session_id reason',
    ours: 'code keep generation epoch',
    needed: 'kind session_id reason',
  },
};
