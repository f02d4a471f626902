import fc from 'fast-check';
import { payloadBytes } from '../hidden.ts';
import type { LinkReport, Message, Offer, Part, PayloadType, SamplingState } from '../types.ts';

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

/** A record in which each optional key may be left out. */
function record<R extends object, O extends object>(required: Arbitraries<R>, optional: Arbitraries<O>) {
  const some = fc.record(optional, { requiredKeys: [] });
  return fc.tuple(fc.record(required), some).map(([a, b]) => ({ ...a, ...b }));
}

const TYPES = ['fp32', 'fp16', 'int8'] as const;
const CODES = ['done', 'stopped', 'next-gone', 'failed'] as const;

const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const sequence = fc.oneof(u8, fc.maxSafeNat());
const position = fc.integer({ min: 0, max: 2 ** 24 });
const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('hex'));
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength });
const ms = fc.double({ min: 0, max: 1e9, noNaN: true }).map((x) => x + 0);
const computeMs = fc.array(ms, { maxLength: 4 });
const range = fc.tuple(u16, u16).map(([a, b]) => {
  const start = Math.min(a, b, 0xfffe);
  return { start, end: Math.max(a, b, start + 1) };
});
const part: fc.Arbitrary<Part> = fc
  .tuple(range, fc.boolean(), fc.boolean())
  .map(([r, embed, head]) => ({ ...r, embed, head }));

const offer: fc.Arbitrary<Offer> = fc
  .tuple(
    range,
    fc.record<Omit<Offer, 'start' | 'end'>>({
      cid: text(80),
      embed: fc.boolean(),
      head: fc.boolean(),
      loaded: fc.array(part, { maxLength: 3 }),
      load_ms: ms,
      arithmetic: fc.constantFrom('exact', 'fast'),
      precision: fc.constantFrom('float32', 'float16'),
      backend: text(12),
      max_tokens: position,
      free_blocks: u32,
      sessions: u16,
      decode_ms: ms,
      prefill_ms: ms,
      draining: fc.boolean(),
      positions: sequence,
    }),
  )
  .map(([r, rest]) => ({ ...r, ...rest }));

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((x) => x + 0);
const sampling: fc.Arbitrary<SamplingState> = record(
  {
    temperature: real(0, 2),
    top_k: fc.integer({ min: 0, max: 1_000_000 }),
    top_p: real(0, 1),
    min_p: real(0, 1),
    repetition_penalty: real(0.1, 10),
    repetition_window: u16,
    seed: fc.maxSafeInteger().map((x) => x + 0),
    drawn: position,
    history: fc.uint8Array({ maxLength: 40 }).map((b) => b.slice(0, b.length & ~3)),
  },
  { logprobs: fc.integer({ min: 0, max: 20 }) },
);

const logprob = real(-3.5e38, 0);

const peer = fc.stringMatching(/^[0-9A-Za-z]{1,60}$/);
const address = fc.record({
  peer,
  addrs: fc.array(fc.stringMatching(/^\/[!-~]{0,60}$/), { maxLength: 3 }),
});

const link = fc.record<LinkReport>({
  peer,
  path: fc.constantFrom('direct', 'relayed', 'websocket', 'tcp'),
  round_trip_ms: fc.option(ms),
});

function forward<O extends object>(types: readonly PayloadType[], ours: Arbitraries<O>) {
  return fc
    .tuple(fc.constantFrom(...types), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 }))
    .chain(([dtype, positions, wide]) => {
      const width = dtype === 'tokens' ? 1 : wide;
      const length = payloadBytes(dtype, positions, width);
      const shape: [number, number, number] = [1, positions, width];
      return record(
        {
          kind: fc.constant('forward_hidden' as const),
          session_id: hex32,
          seq: sequence,
          phase: fc.constantFrom('prefill' as const, 'decode' as const),
          dtype: fc.constant(dtype),
          shape: fc.constant(shape),
          payload: fc.uint8Array({ minLength: length, maxLength: length }),
          kv_delta: fc.option(fc.uint8Array({ maxLength: 30 })),
        },
        { kv_truncate_to: position, ...ours },
      );
    });
}

const hello = {
  kind: fc.constant('hello' as const),
  peer_id: hex32,
  proto_ver: u32,
  supported_quants: fc.array(text(10), { maxLength: 4 }),
};
const init = {
  kind: fc.constant('session_init' as const),
  session_id: hex32,
  client_x25519_pub: key,
  model_cid: text(60),
  layer_range: range,
  max_seq: fc.integer({ min: 1, max: 2 ** 24 }),
};
const ack = { kind: fc.constant('session_ack' as const), session_id: hex32, shard_x25519_pub: key };
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const token = {
  kind: fc.constant('token' as const),
  session_id: hex32,
  seq: sequence,
  logits_top_k: fc.option(fc.array(fc.tuple(u32, float), { maxLength: 4 })),
  sampled: u32,
};
const heartbeat = {
  kind: fc.constant('heartbeat' as const),
  session_id: hex32,
  last_seq: sequence,
  health: u8,
};
const abort = { kind: fc.constant('abort_session' as const), session_id: hex32, reason: text(100) };

/** Messages as IntelNav has them. */
export const nativeMessages: fc.Arbitrary<Message> = fc.oneof(
  record(hello, {}),
  record(init, {}),
  record(ack, {}),
  forward(['fp16', 'bf16', 'int8'], {}),
  record(token, {}),
  record(heartbeat, {}),
  record(abort, {}),
);

/** Messages between our own peers: every field is there in some. */
export const messages: fc.Arbitrary<Message> = fc.oneof(
  record(hello, {
    ask: fc.boolean(),
    nonce: sequence,
    agent: text(30),
    offers: fc.array(offer, { maxLength: 2 }),
    want_links: fc.boolean(),
    links: fc.array(link, { maxLength: 3 }),
  }),
  record(init, {
    epoch: u32,
    generation: u32,
    prev: address,
    next: address,
    in_epoch: u32,
    out_epoch: u32,
    embed: fc.boolean(),
    head: fc.boolean(),
    sampling,
    replay: fc.record({ from: position, deliver_from: position, answer_from: position }),
    kv_truncate_to: position,
    dtype: fc.constantFrom(...TYPES),
  }),
  record(ack, { epoch: u32, generation: u32, length: position }),
  forward(['fp32', 'fp16', 'bf16', 'int8', 'tokens'], {
    epoch: u32,
    generation: u32,
    position,
    answer_from: position,
    deliver_from: position,
    sampling,
    compute_ms: computeMs,
  }),
  record(token, {
    epoch: u32,
    generation: u32,
    position,
    compute_ms: computeMs,
    logprob,
    top_logprobs: fc.array(fc.tuple(u32, logprob), { maxLength: 20 }),
  }),
  record(heartbeat, {
    ask: fc.boolean(),
    epoch: u32,
    generation: u32,
    length: position,
    compute_ms: computeMs,
  }),
  record(abort, {
    code: fc.constantFrom(...CODES),
    keep: fc.boolean(),
    generation: u32,
    epoch: u32,
  }),
);
