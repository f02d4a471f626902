import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from './codec.ts';
import { decodeNative, encodeNative } from './native.ts';
import { nativeMessages } from './testing/messages.ts';
import { expectStrict } from './testing/strict.ts';
import type { Message } from './types.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const hex = (body: Uint8Array) => Buffer.from(body).toString('hex');
const join = (...parts: string[]) => parts.join('').replaceAll(' ', '');

const ID = '07'.repeat(32);
/** Text of 64 characters, `0707…07`. */
const ID_TEXT = `7840${'3037'.repeat(32)}`;
const SESSION = `6a73657373696f6e5f6964${ID_TEXT}`;
const ZEROS = new Uint8Array(32);

const forward = {
  kind: 'forward_hidden',
  session_id: ID,
  seq: 1,
  phase: 'prefill',
  dtype: 'fp16',
  shape: [1, 1, 2],
  payload: Uint8Array.of(0, 0x3c, 0, 0xc0),
  kv_delta: null,
} satisfies Message;

/** Produced by serde and ciborium 0.2.2, the libraries of IntelNav. */
const VECTORS: [string, Message, string][] = [
  [
    'hello',
    { kind: 'hello', peer_id: ID, proto_ver: 1, supported_quants: ['Q4_K_M', 'fp16'] },
    join(
      'a4 646b696e64 6568656c6c6f 67706565725f6964',
      ID_TEXT,
      '6970726f746f5f766572 01 70737570706f727465645f7175616e7473 82 6651345f4b5f4d 6466703136',
    ),
  ],
  [
    'session_init',
    {
      kind: 'session_init',
      session_id: ID,
      client_x25519_pub: ZEROS,
      model_cid: 'm',
      layer_range: { start: 6, end: 12 },
      max_seq: 2048,
    },
    join(
      'a6 646b696e64 6c73657373696f6e5f696e6974',
      SESSION,
      '71636c69656e745f7832353531395f707562 9820',
      '00'.repeat(32),
      '696d6f64656c5f636964 616d 6b6c617965725f72616e6765 a2 657374617274 06 63656e64 0c',
      '676d61785f736571 190800',
    ),
  ],
  [
    'session_ack',
    { kind: 'session_ack', session_id: ID, shard_x25519_pub: ZEROS },
    join(
      'a3 646b696e64 6b73657373696f6e5f61636b',
      SESSION,
      '7073686172645f7832353531395f707562 9820',
      '00'.repeat(32),
    ),
  ],
  [
    'forward_hidden',
    forward,
    join(
      'a8 646b696e64 6e666f72776172645f68696464656e',
      SESSION,
      '63736571 01 657068617365 6770726566696c6c 656474797065 6466703136 657368617065 83010102',
      '677061796c6f6164 84 00 183c 00 18c0 686b765f64656c7461 f6',
    ),
  ],
  [
    'forward_hidden that cuts back',
    {
      ...forward,
      phase: 'decode',
      dtype: 'int8',
      payload: Uint8Array.of(0, 0, 0x80, 0x3f, 1, 0xff),
      kv_delta: new Uint8Array(0),
      kv_truncate_to: 5,
    },
    join(
      'a9 646b696e64 6e666f72776172645f68696464656e',
      SESSION,
      '63736571 01 657068617365 666465636f6465 656474797065 64696e7438 657368617065 83010102',
      '677061796c6f6164 86 00 00 1880 183f 01 18ff 686b765f64656c7461 80 6e6b765f7472756e636174655f746f 05',
    ),
  ],
  [
    'token',
    { kind: 'token', session_id: ID, seq: 3, logits_top_k: [[5, 1.5]], sampled: 5 },
    join(
      'a5 646b696e64 65746f6b656e',
      SESSION,
      '63736571 03 6c6c6f676974735f746f705f6b 81 82 05 f93e00 6773616d706c6564 05',
    ),
  ],
  [
    'heartbeat',
    { kind: 'heartbeat', session_id: ID, last_seq: 9, health: 0 },
    join('a4 646b696e64 69686561727462656174', SESSION, '686c6173745f736571 09 666865616c7468 00'),
  ],
  [
    'abort_session',
    { kind: 'abort_session', session_id: ID, reason: 'x' },
    join('a3 646b696e64 6d61626f72745f73657373696f6e', SESSION, '66726561736f6e 6178'),
  ],
];

describe("IntelNav's own bytes, both ways", () => {
  test.each(VECTORS)('%s', (_, message, vector) => {
    const framed = encodeNative(message);
    expect(hex(framed.subarray(4))).toBe(vector);
    expect(new DataView(framed.buffer).getUint32(0)).toBe(vector.length / 2);
    expect(decodeNative(bytes(vector))).toEqual(message);
  });
});

test('every native message comes out as it went in', () => {
  fc.assert(
    fc.property(nativeMessages, (message) => {
      const decoded = decodeNative(encodeNative(message).subarray(4));
      expect(decoded).toEqual(message);
      expectStrict(decoded, true);
    }),
    { seed: 2, numRuns: 2000 },
  );
});

test('fields of our own are left out, and not believed when they come', () => {
  const ours: Message = { ...forward, epoch: 3, position: 9, compute_ms: [1] };
  expect(encodeNative(ours)).toEqual(encodeNative(forward));
  const vector = VECTORS[6]![2];
  // The heartbeat with `epoch: 3` added: five keys.
  expect(decodeNative(bytes(`a5${vector.slice(2)}6565706f636803`))).toEqual(VECTORS[6]![1]);
});

test('floats go out in the shortest form that is exact', () => {
  const written = (logit: number) => {
    const body = encodeNative({
      kind: 'token',
      session_id: ID,
      seq: 0,
      logits_top_k: [[0, logit]],
      sampled: 0,
    }).subarray(4);
    const text = hex(body);
    return text.slice(text.indexOf('818200') + 6, text.indexOf('6773616d706c6564'));
  };
  expect(written(0)).toBe('f90000');
  expect(written(-0)).toBe('f98000');
  expect(written(65504)).toBe('f97bff');
  expect(written(65505)).toBe('fa477fe100');
  expect(written(2 ** -24)).toBe('f90001');
  expect(written(2 ** -25)).toBe('fa33000000');
  expect(written(0.1)).toBe('fa3dcccccd');
});

test('floats of any width are taken', () => {
  const token = (float: string) =>
    join('a5 646b696e64 65746f6b656e', SESSION, '63736571 03 6c6c6f676974735f746f705f6b 81 82 05') +
    `${float}6773616d706c656405`;
  for (const float of ['f93e00', 'fa3fc00000', 'fb3ff8000000000000'])
    expect(decodeNative(bytes(token(float)))).toMatchObject({ logits_top_k: [[5, 1.5]] });
  for (const float of ['f97c00', 'f97e00', 'fa7f800000', 'fb7ff0000000000000'])
    expect(() => decodeNative(bytes(token(float)))).toThrow(expect.objectContaining({ code: 'bad-field' }));
});

test('absent options are none, keys may come in any order, unknown ones are ignored', () => {
  const body = join(
    'a8 677061796c6f6164 84 00 183c 00 18c0 657368617065 83010102 656474797065 6466703136',
    '657068617365 6770726566696c6c 6178 83 01 a1 6179 02 f6 63736571 1b0000000000000001',
    SESSION,
    '646b696e64 6e666f72776172645f68696464656e',
  );
  expect(decodeNative(bytes(body))).toEqual(forward);
});

test('a u64 is taken as far as a number is exact', () => {
  const beat = (sequence: string) =>
    bytes(
      join(
        'a4 646b696e64 69686561727462656174',
        SESSION,
        '686c6173745f736571',
        sequence,
        '666865616c7468 00',
      ),
    );
  expect(decodeNative(beat('1b001fffffffffffff'))).toMatchObject({ last_seq: Number.MAX_SAFE_INTEGER });
  for (const sequence of ['1b0020000000000000', '1bffffffffffffffff', '20'])
    expect(() => decodeNative(beat(sequence))).toThrow(expect.objectContaining({ code: 'bad-field' }));
});

describe('what IntelNav refuses is refused', () => {
  const withPayload = (payload: string) => {
    const vector = VECTORS[3]![2];
    return bytes(vector.replace('8400183c0018c0', join(payload)));
  };
  test.each([
    ['a byte string', '44 00 3c 00 c0'],
    ['a number above 255', '84 00 190100 00 18c0'],
    ['a negative number', '84 00 20 00 18c0'],
    ['a float', '84 00 f93c00 00 18c0'],
    ['a text', '64 61616161'],
    ['a list of lists', '84 80 80 80 80'],
  ])('%s for a payload', (_, payload) => {
    expect(() => decodeNative(withPayload(payload))).toThrow(expect.objectContaining({ code: 'bad-field' }));
  });

  test('our own frames, with their byte strings', () => {
    expect(() => decodeNative(encodeMessage(forward).subarray(4))).toThrow(
      expect.objectContaining({ code: 'bad-field' }),
    );
  });

  test('a field that comes twice', () => {
    const vector = VECTORS[6]![2];
    expect(() => decodeNative(bytes(`a5${vector.slice(2)}666865616c746801`))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });

  test('types and kinds of our own', () => {
    expect(() => encodeNative({ ...forward, dtype: 'fp32', payload: new Uint8Array(8) })).toThrow(
      expect.objectContaining({ code: 'bad-field' }),
    );
    const gossip = bytes('a1 646b696e64 66676f73736970');
    expect(() => decodeNative(gossip)).toThrow(expect.objectContaining({ code: 'unknown-kind' }));
  });

  test('an abort that is to keep the session: a native peer would end it', () => {
    const stop: Message = { kind: 'abort_session', session_id: ID, reason: 'stop', keep: true };
    expect(() => encodeNative(stop)).toThrow(expect.objectContaining({ code: 'bad-field' }));
  });
});
