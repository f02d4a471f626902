import { describe, expect, test } from 'vitest';
import { decodeMessage } from './codec.ts';
import { decodeNative } from './native.ts';
import { MAX_FRAME_BYTES, WireError } from './types.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** A map of one unknown key, `x`, with the value. */
const around = (value: string) => hex(`a1 61 78 ${value}`);

const HOSTILE: [string, Uint8Array][] = [
  ['nothing but a header', hex('a1')],
  ['half a length', hex('b9 00')],
  ['an indefinite map', hex('bf 61 78 01 ff')],
  ['an indefinite array', around('9f 01 ff')],
  ['an indefinite byte string', around('5f 41 00 ff')],
  ['an indefinite text', around('7f 61 61 ff')],
  ['a reserved length', around('1c')],
  ['a date', around('c1 1a 00 00 00 00')],
  ['a bignum', around('c2 49 01 00 00 00 00 00 00 00 00')],
  ['a shared reference', around('d8 1d 00')],
  ['a record definition', around('d9 df ff 83 19 df fe 81 61 61 01')],
  ['a packed table', around('d8 33 83 80 80 80')],
  ['undefined', around('f7')],
  ['a simple value', around('e0')],
  ['a simple value of two bytes', around('f8 ff')],
  ['a break', around('ff')],
  ['an array of 2^32-1', around('9a ff ff ff ff')],
  ['an array of 2^53', around('9b 00 20 00 00 00 00 00 00')],
  ['an array of 2^64-1', around('9b ff ff ff ff ff ff ff ff')],
  ['a map of 2^32-1', hex('ba ff ff ff ff 61 78 01')],
  ['a map of 2^63', hex('bb 80 00 00 00 00 00 00 00')],
  ['a byte string of 16 MiB', around('5a 01 00 00 00')],
  ['a byte string of 2^63', around('5b 80 00 00 00 00 00 00 00')],
  ['a text of 2^31', around('7a 80 00 00 00')],
  ['a text that is not UTF-8', around('62 c3 28')],
  ['a text that ends within a character', around('61 c3')],
  ['half a surrogate pair', around('63 ed a0 80')],
  ['a number as key', hex('a1 01 01')],
  ['a list as key', hex('a1 80 01')],
  ['a long key', hex(`a1 78 41 ${'61'.repeat(65)} 01`)],
  ['nine levels', around('81 81 81 81 81 81 81 81 01')],
  ['ten thousand levels', around(`${'81'.repeat(10_000)}01`)],
  ['bytes after the end', hex('a1 61 78 01 00')],
];

describe('hostile CBOR is refused before anything is built', () => {
  test.each(HOSTILE)('%s', (_, body) => {
    for (const decode of [decodeMessage, decodeNative])
      expect(() => decode(body)).toThrow(expect.objectContaining({ name: 'WireError', code: 'malformed' }));
  });

  test('lists that announce more together than the frame holds', () => {
    // Each of the nested lists fits into the rest of the frame, all of them together do not.
    const body = new Uint8Array(1_000_000);
    body.set(around(`9a 00 0f 00 00 ${'99 ff ff'.repeat(5)}`));
    expect(() => decodeMessage(body)).toThrow(WireError);
    expect(() => decodeNative(body)).toThrow(WireError);
  });

  test('more items than any message has', () => {
    const many = new Uint8Array(8 + 100_000);
    many.set(around('9a 00 01 86 a0'));
    expect(() => decodeMessage(many)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  test('a frame that is empty, or above the cap', () => {
    for (const decode of [decodeMessage, decodeNative])
      for (const body of [new Uint8Array(0), new Uint8Array(MAX_FRAME_BYTES + 1)])
        expect(() => decode(body)).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  test('a map that is no message, and what is no map', () => {
    for (const decode of [decodeMessage, decodeNative])
      expect(() => decode(hex('a0'))).toThrow(expect.objectContaining({ code: 'bad-field' }));
    for (const other of ['00', 'f6', '80', '40', '60', 'fb 7f f8 00 00 00 00 00 00'])
      expect(() => decodeMessage(hex(other))).toThrow(expect.objectContaining({ code: 'bad-field' }));
  });

  test('__proto__ is a key like any other', () => {
    const body = hex('a1 69 5f5f70726f746f5f5f a1 64 6b696e64 65 68656c6c6f');
    for (const decode of [decodeMessage, decodeNative])
      expect(() => decode(body)).toThrow(expect.objectContaining({ code: 'bad-field' }));
    expect(Reflect.get({}, 'kind')).toBe(undefined);
  });
});
