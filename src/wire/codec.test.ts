import { Encoder } from 'cbor-x/index-no-eval';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from './codec.ts';
import { messages } from './testing/messages.ts';
import { expectStrict } from './testing/strict.ts';
import {
  type AbortSession,
  type ForwardHidden,
  type Message,
  WireError,
  type WireErrorCode,
} from './types.ts';

const ID = '07'.repeat(32);
const FORWARD: ForwardHidden = {
  kind: 'forward_hidden',
  session_id: ID,
  seq: 1,
  phase: 'decode',
  dtype: 'fp32',
  shape: [1, 1, 2],
  payload: new Uint8Array(8),
  kv_delta: null,
};

const anything = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });

function refusal(run: () => unknown): WireErrorCode | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(error.message.length).toBeLessThan(400);
    return error.code;
  }
}

/** What becomes of a message with some fields changed. */
function changed(message: Message, changes: object): WireErrorCode | null {
  return refusal(() => decodeMessage(anything.encode({ ...message, ...changes })));
}

test('every message comes out as it went in', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const framed = encodeMessage(message);
      expect(new DataView(framed.buffer).getUint32(0)).toBe(framed.length - 4);
      const decoded = decodeMessage(framed.subarray(4));
      expect(decoded).toEqual(message);
      expectStrict(decoded, false);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('an encoded frame has bytes of its own: the next message does not change it', () => {
  const first = encodeMessage({ ...FORWARD, payload: new Uint8Array(8).fill(1) });
  const copy = first.slice();
  for (let i = 0; i < 100; i++) encodeMessage({ ...FORWARD, payload: new Uint8Array(8).fill(2) });
  expect(first).toEqual(copy);
  expect(first.buffer.byteLength).toBe(first.length);
});

test('a payload is a view of the frame, not a copy', () => {
  const body = encodeMessage(FORWARD).subarray(4);
  const decoded = decodeMessage(body);
  expect(decoded).toMatchObject({ kind: 'forward_hidden' });
  expect((decoded as ForwardHidden).payload.buffer).toBe(body.buffer);
});

test('bytes in a Node Buffer come out as plain bytes, whose slice() copies', () => {
  const decoded = decodeMessage(
    Buffer.from(encodeMessage({ ...FORWARD, payload: Buffer.alloc(8) }).subarray(4)),
  );
  expect(Object.getPrototypeOf((decoded as ForwardHidden).payload)).toBe(Uint8Array.prototype);
});

test('unknown keys are left out, and null is as good as absent', () => {
  const body = anything.encode({
    ...FORWARD,
    kv_truncate_to: null,
    epoch: null,
    colour: ['red', { deep: 1 }],
  });
  expect(decodeMessage(body)).toEqual(FORWARD);
});

test('a long reason is cut rather than lost, and has no half characters', () => {
  const message: AbortSession = {
    kind: 'abort_session',
    session_id: ID,
    reason: `${'\ud800'}${'x'.repeat(5000)}`,
  };
  const decoded = decodeMessage(encodeMessage(message).subarray(4));
  expect(decoded).toEqual({ ...message, reason: `\ufffd${'x'.repeat(1023)}` });
});

test('what a peer could not decode is not sent', () => {
  expect(refusal(() => encodeMessage({ ...FORWARD, epoch: -1 }))).toBe('bad-field');
  expect(refusal(() => encodeMessage({ ...FORWARD, compute_ms: [Number.NaN] }))).toBe('bad-field');
  const greeting = {
    kind: 'hello' as const,
    peer_id: ID,
    proto_ver: 1,
    supported_quants: [],
    agent: '\ud800',
  };
  expect(refusal(() => encodeMessage(greeting))).toBe('bad-field');
  expect(refusal(() => encodeMessage({ ...FORWARD, shape: [1, 1, 3] }))).toBe('bad-payload');
  const shape: [number, number, number] = [1, 64, 65_536];
  const large = { ...FORWARD, shape, payload: new Uint8Array(64 * 65_536 * 4) };
  expect(refusal(() => encodeMessage(large))).toBe('too-large');
});

describe('a field out of range is refused', () => {
  const bad: [string, object][] = [
    ['an upper-case id', { session_id: 'A7'.repeat(32) }],
    ['a short id', { session_id: '07' }],
    ['an id with a line after it', { session_id: `${ID}\n` }],
    ['a negative number', { seq: -1 }],
    ['a fraction', { seq: 0.5 }],
    ['a number that is not exact', { seq: 2 ** 53 }],
    ['a big integer', { seq: 2n ** 63n }],
    ['a position no context has', { position: 2 ** 24 + 1 }],
    ['an epoch above u32', { epoch: 2 ** 32 }],
    ['a text for a number', { epoch: '1' }],
    ['NaN', { compute_ms: [Number.NaN] }],
    ['infinity', { compute_ms: [Number.POSITIVE_INFINITY] }],
    ['a negative time', { compute_ms: [-1] }],
    ['a long list', { compute_ms: new Array(65).fill(1) }],
    ['an unknown type', { dtype: 'fp64' }],
    ['a name of Object.prototype', { dtype: 'constructor' }],
    ['two sessions in a frame', { shape: [2, 1, 1] }],
    ['no rows', { shape: [1, 0, 2], payload: new Uint8Array(0) }],
    ['two dimensions', { shape: [1, 2] }],
    ['too many rows', { shape: [1, 65_537, 1] }],
    ['integers for bytes', { payload: [0, 0, 0, 0, 0, 0, 0, 0] }],
    ['half a token id', { sampling: { history: new Uint8Array(3) } }],
    ['a missing field', { session_id: undefined }],
  ];
  test.each(bad)('%s', (_, changes) => {
    const code = changed(FORWARD, changes);
    expect(code === 'bad-field' || code === 'malformed').toBe(true);
  });

  test('log-probabilities above zero, or of more tokens than may be asked for', () => {
    const token = { kind: 'token' as const, session_id: ID, seq: 1, logits_top_k: null, sampled: 3 };
    const top = (count: number, logprob: unknown = -1) => new Array(count).fill([3, logprob]);
    expect(changed(token, { logprob: -0.5, top_logprobs: top(20) })).toBe(null);
    expect(changed(token, { logprob: 0.1 })).toBe('bad-field');
    expect(changed(token, { logprob: Number.NEGATIVE_INFINITY })).toBe('bad-field');
    expect(changed(token, { top_logprobs: top(21) })).toBe('bad-field');
    expect(changed(token, { top_logprobs: top(1, 0.1) })).toBe('bad-field');
    expect(changed(token, { top_logprobs: [[3]] })).toBe('bad-field');
    expect(changed(token, { top_logprobs: [[-1, -1]] })).toBe('bad-field');
  });

  test('a payload that does not fit its shape', () => {
    expect(changed(FORWARD, { payload: new Uint8Array(7) })).toBe('bad-payload');
    expect(changed(FORWARD, { dtype: 'fp16' })).toBe('bad-payload');
    expect(changed(FORWARD, { dtype: 'tokens', shape: [1, 1, 2] })).toBe('bad-field');
  });

  test('an empty range, an address that is none', () => {
    const init = {
      kind: 'session_init' as const,
      session_id: ID,
      client_x25519_pub: new Uint8Array(32),
      model_cid: 'm',
      layer_range: { start: 3, end: 6 },
      max_seq: 100,
    };
    expect(changed(init, {})).toBe(null);
    expect(changed(init, { layer_range: { start: 6, end: 6 } })).toBe('bad-field');
    expect(changed(init, { client_x25519_pub: new Uint8Array(31) })).toBe('bad-field');
    expect(changed(init, { next: { peer: '', addrs: [] } })).toBe('bad-field');
    expect(changed(init, { next: { peer: 'x', addrs: ['/ip4/1.2.3.4 '] } })).toBe('bad-field');
    expect(changed(init, { next: { peer: 'x', addrs: new Array(17).fill('/dns/a') } })).toBe('bad-field');
    expect(changed(init, { next: { peer: 'x', addrs: [`/${'a'.repeat(512)}`] } })).toBe('bad-field');
  });

  test('too many offers', () => {
    const hello = { kind: 'hello' as const, peer_id: ID, proto_ver: 1, supported_quants: [] };
    expect(changed(hello, { offers: [] })).toBe(null);
    expect(changed(hello, { offers: new Array(65).fill(null) })).toBe('bad-field');
    expect(changed(hello, { supported_quants: new Array(33).fill('x') })).toBe('bad-field');
  });

  test('links that no peer has', () => {
    const hello = { kind: 'hello' as const, peer_id: ID, proto_ver: 1, supported_quants: [] };
    const link = { peer: '12D3KooWa', path: 'direct', round_trip_ms: 4.5 };
    const links = (change: object) => changed(hello, { links: [{ ...link, ...change }] });
    expect(links({})).toBe(null);
    expect(links({ round_trip_ms: null })).toBe(null);
    expect(changed(hello, { links: new Array(64).fill(link) })).toBe(null);
    expect(changed(hello, { links: new Array(65).fill(link) })).toBe('bad-field');
    expect(changed(hello, { links: [null] })).toBe('bad-field');
    expect(changed(hello, { want_links: 1 })).toBe('bad-field');
    for (const path of ['local', 'none', 'constructor', '', 7, null])
      expect(links({ path })).toBe('bad-field');
    for (const peer of ['', 'a b', '<b>', 'x'.repeat(129), 7, null])
      expect(links({ peer })).toBe('bad-field');
    for (const round_trip_ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2e9, '1'])
      expect(links({ round_trip_ms })).toBe('bad-field');
  });

  test('a kind that nobody speaks', () => {
    expect(changed(FORWARD, { kind: 'gossip' })).toBe('unknown-kind');
    expect(changed(FORWARD, { kind: 'toString' })).toBe('unknown-kind');
    expect(changed(FORWARD, { kind: 7 })).toBe('bad-field');
  });
});
