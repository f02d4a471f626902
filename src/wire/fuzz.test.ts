import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Encoder } from 'cbor-x/index-no-eval';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dice, mutateBytes, mutateJson } from '../model/testing/mutate.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { FrameReader, frame } from './frame.ts';
import { decodeHidden, encodeHidden } from './hidden.ts';
import { decodeNative, encodeNative } from './native.ts';
import { messages, nativeMessages } from './testing/messages.ts';
import { expectStrict } from './testing/strict.ts';
import { type Message, WireError } from './types.ts';

const ROUNDS = 200_000;
/** Rounds before memory is measured: compiled code, and buffers that stay, are there by then. */
const WARM_UP = 20_000;
/**
 * What the heap may differ by between two collections for other reasons (10 MB were seen). 200 bytes kept of each
 * round would be more.
 */
const NOISE = 32 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that are in use after a full collection, array buffers included. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Runs a decoder on something mutated: it may succeed or throw a WireError, nothing else. */
function survive(decode: () => void, round: number, outcomes: Map<string, number>): void {
  let outcome = 'decoded';
  try {
    decode();
  } catch (error) {
    if (!(error instanceof WireError)) throw new Error(`round ${round}: ${error}`, { cause: error });
    if (error.message.length > 400) throw new Error(`round ${round}: a message of ${error.message.length}`);
    outcome = error.code;
  }
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** Lets timers and the other tests breathe. */
const breathe = () => new Promise((resolve) => setImmediate(resolve));

async function fuzz(attempt: (round: number) => void): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (round === WARM_UP) before = bytesInUse();
    survive(() => attempt(round), round, outcomes);
    if (round % 10_000 === 0) await breathe();
  }
  expect(bytesInUse() - before).toBeLessThan(NOISE);
  return outcomes;
}

const loose = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });

/** Encodes anything, sound or not; bytes as IntelNav writes them when `native`. */
function encodeLoose(value: unknown, native: boolean): Uint8Array {
  return loose.encode(native ? withLists(value) : value).slice();
}

function withLists(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withLists(inner)]));
}

describe(`${ROUNDS} mutated frames per decoder: no crash, no untyped error, no growth`, () => {
  const codecs = [
    { name: 'our codec', native: false, all: messages, encode: encodeMessage, decode: decodeMessage },
    {
      name: 'the native codec',
      native: true,
      all: nativeMessages,
      encode: encodeNative,
      decode: decodeNative,
    },
  ];
  test.each(codecs)('$name, and what it lets through is sound', { timeout: 120_000 }, async (codec) => {
    const sound: Message[] = fc.sample(codec.all, { seed: 5, numRuns: 400 });
    const bodies = sound.map((message) => codec.encode(message).subarray(4));
    const dice = new Dice(5);
    const outcomes = await fuzz((round) => {
      const original = dice.below(sound.length);
      // Bytes that lie, and values that lie in bytes that do not.
      const mutated =
        round % 2 === 0
          ? mutateBytes(bodies[original]!, bodies[original]!.length, dice)
          : encodeLoose(mutateJson(sound[original], dice), codec.native);
      const message = codec.decode(mutated);
      expectStrict(message, codec.native);
      // What was let through can be sent on.
      codec.encode(message);
    });
    for (const code of ['decoded', 'malformed', 'unknown-kind', 'bad-field', 'bad-payload'])
      expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(20);
  });

  test('the frame reader, cut anywhere', { timeout: 120_000 }, async () => {
    const frames = fc
      .sample(messages, { seed: 6, numRuns: 200 })
      .map((message) => encodeMessage(message).subarray(0, 600));
    const dice = new Dice(6);
    let bodies = 0;
    const outcomes = await fuzz(() => {
      const parts = Array.from({ length: 1 + dice.below(3) }, () => dice.pick(frames));
      const stream = mutateBytes(Buffer.concat(parts), 600, dice);
      let delivered = 0;
      const reader = new FrameReader((body) => {
        bodies++;
        delivered += 4 + body.length;
        if (body.buffer.byteLength > 4 * body.length) throw new Error('a body keeps more than itself');
      });
      for (let at = 0; at < stream.length; ) {
        const next = Math.min(stream.length, at + 1 + dice.below(dice.pick([3, 50, 2000])));
        reader.push(stream.slice(at, next));
        at = next;
        if (delivered > at) throw new Error('more came out than went in');
        if (reader.held > 64 * 1024 + 4) throw new Error(`${reader.held} bytes held for ${at}`);
      }
    });
    expect(outcomes.get('too-large')).toBeGreaterThan(100);
    expect(bodies).toBeGreaterThan(100_000);
  });

  test('frames in a stream, decoded as they come', { timeout: 120_000 }, async () => {
    const bodies = fc
      .sample(messages, { seed: 7, numRuns: 200 })
      .map((message) => encodeMessage(message).subarray(4));
    const dice = new Dice(7);
    const outcomes = await fuzz(() => {
      const reader = new FrameReader((body) => expectStrict(decodeMessage(body), false));
      const body = dice.pick(bodies);
      const stream = frame(mutateBytes(body, body.length, dice));
      const cut = dice.below(stream.length);
      reader.push(stream.slice(0, cut));
      reader.push(stream.slice(cut));
    });
    expect(outcomes.get('decoded')).toBeGreaterThan(100);
  });

  test('hidden states', { timeout: 120_000 }, async () => {
    const dice = new Dice(8);
    const types = ['fp32', 'fp16', 'int8'] as const;
    const width = 24;
    const payloads = types.map((dtype) => {
      const rows = Float32Array.from({ length: 3 * width }, () => dice.below(2000) / 7 - 100);
      return encodeHidden(rows, width, dtype);
    });
    const outcomes = await fuzz(() => {
      const type = dice.below(3);
      let payload: Uint8Array = payloads[type]!;
      payload = mutateBytes(payload, payload.length, dice);
      const values = decodeHidden(payload, [1, dice.pick([3, 3, 3, 3, 1, 2]), width], types[type]!);
      for (const value of values) if (!Number.isFinite(value)) throw new Error('not finite');
    });
    for (const code of ['decoded', 'bad-payload']) expect(outcomes.get(code) ?? 0).toBeGreaterThan(10_000);
  });
});
