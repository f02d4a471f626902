import { expect, test } from 'vitest';
import { Dice } from '../model/testing/mutate.ts';
import { FrameReader, frame } from './frame.ts';
import { MAX_FRAME_BYTES, WireError } from './types.ts';

function collect(): { bodies: Uint8Array[]; reader: FrameReader } {
  const bodies: Uint8Array[] = [];
  return { bodies, reader: new FrameReader((body) => bodies.push(body)) };
}

const body = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const announce = (length: number) => {
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, length);
  return header;
};

test('frames come out whole however the stream is cut', () => {
  const dice = new Dice(3);
  for (let round = 0; round < 300; round++) {
    const sent = Array.from({ length: 1 + dice.below(6) }, (_, i) => body(1 + dice.below(300), i));
    const stream = Buffer.concat(sent.map(frame));
    const { bodies, reader } = collect();
    for (let at = 0; at < stream.length; ) {
      const next = at + dice.below(dice.pick([2, 5, 100, 1000]));
      // Copied, because chunks are given away.
      reader.push(Uint8Array.from(stream.subarray(at, next)));
      at = next;
    }
    expect(bodies).toEqual(sent);
    expect(reader.idle).toBe(true);
  }
});

test('a frame of the largest size comes through in pieces, into a buffer of its own size', () => {
  const sent = body(MAX_FRAME_BYTES);
  sent[12_345_678] = 1;
  const stream = frame(sent);
  const { bodies, reader } = collect();
  for (let at = 0; at < stream.length; at += 100_000) reader.push(stream.subarray(at, at + 100_000));
  expect(bodies).toHaveLength(1);
  expect(Buffer.compare(bodies[0]!, sent)).toBe(0);
  expect(bodies[0]!.buffer.byteLength).toBe(MAX_FRAME_BYTES);
});

test('a peer that announces 16 MiB and sends little makes nobody hold 16 MiB', () => {
  const { reader } = collect();
  reader.push(announce(MAX_FRAME_BYTES));
  expect(reader.held).toBe(4);
  reader.push(body(1));
  expect(reader.held).toBeLessThanOrEqual(64 * 1024 + 4);
  for (let sent = 1; sent < 1_000_000; sent += 10_000) {
    reader.push(body(10_000));
    expect(reader.held).toBeLessThanOrEqual(Math.max(64 * 1024, 2 * (sent + 10_000)) + 4);
  }
  expect(reader.idle).toBe(false);
});

test('a small frame that is kept does not keep the large chunk it came in', () => {
  const { bodies, reader } = collect();
  const chunk = new Uint8Array(64 * 1024);
  chunk.set(frame(body(100)));
  chunk.set(frame(body(60_000)), 104);
  reader.push(chunk.subarray(0, 104 + 60_004));
  expect(bodies.map(({ length }) => length)).toEqual([100, 60_000]);
  expect(bodies[0]!.buffer.byteLength).toBe(100);
  // And a large one is not copied.
  expect(bodies[1]!.buffer).toBe(chunk.buffer);
});

test.each([0, MAX_FRAME_BYTES + 1, 0xffffffff])('a length of %d ends the reader for good', (length) => {
  const { bodies, reader } = collect();
  reader.push(frame(body(3)));
  const refused = expect.objectContaining({ name: 'WireError', code: 'too-large' });
  expect(() => reader.push(Buffer.concat([announce(length), body(100)]))).toThrow(refused);
  expect(() => reader.push(frame(body(3)))).toThrow(refused);
  expect(bodies).toHaveLength(1);
  expect(reader.held).toBe(0);
});

test('a reader whose listener failed does not go on in the middle of the stream', () => {
  const failure = new Error('not for this stream');
  let calls = 0;
  const reader = new FrameReader(() => {
    calls++;
    throw failure;
  });
  const two = Buffer.concat([frame(body(3)), frame(body(3))]);
  expect(() => reader.push(two)).toThrow(failure);
  expect(() => reader.push(two)).toThrow(failure);
  expect(calls).toBe(1);
});

test('a body that no peer would take is not framed', () => {
  expect(() => frame(new Uint8Array(0))).toThrow(WireError);
  expect(() => frame(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow(WireError);
  expect(frame(body(2))).toEqual(Uint8Array.of(0, 0, 0, 2, 7, 7));
});
