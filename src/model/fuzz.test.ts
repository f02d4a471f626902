import { describe, expect, test } from 'vitest';
import { ModelError } from './errors.ts';
import { MAX_GGUF_HEADER, MAX_TENSORS, readGguf } from './gguf.ts';
import { encodeManifest, makeManifest } from './manifest.ts';
import { parseManifest } from './manifest-parse.ts';
import { openModelFiles } from './open.ts';
import { MAX_SAFETENSORS_HEADER, readSafetensors } from './safetensors.ts';
import { MemorySource } from './sources.ts';
import { fixture, writeSafetensors } from './testing/huggingface-files.ts';
import { Dice, mutateBytes, mutateJson } from './testing/mutate.ts';
import { tinyGguf } from './testing/tiny-model.ts';
import type { ByteSource, TensorInfo } from './types.ts';

const ROUNDS = 100_000;
/** Lists of a mutated header can be no longer than its bytes; the header of the tiny model has about 1500. */
const MOST_ELEMENTS = 10_000;

/** Counts what is asked of a file, and refuses to be asked for more than a cap. */
class CountedSource implements ByteSource {
  readonly name = 'mutated';
  readonly size: number;
  asked = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly cap: number,
  ) {
    this.size = bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!(length >= 0) || !(offset >= 0) || offset + length > this.size)
      throw new ModelError('truncated', 'A read past the end.');
    this.asked += length;
    if (this.asked > this.cap) throw new Error(`asked for ${this.asked} bytes`);
    const part = new Uint8Array(length);
    part.set(this.bytes.subarray(offset, offset + length));
    return part;
  }
}

/** Runs a reader on something mutated: it may succeed or throw a ModelError, nothing else. */
async function survive(
  read: () => Promise<unknown>,
  round: number,
  outcomes: Map<string, number>,
): Promise<void> {
  let outcome = 'read';
  try {
    await read();
  } catch (error) {
    if (!(error instanceof ModelError)) throw new Error(`round ${round}: ${error}`, { cause: error });
    if (error.message.length > 1000) throw new Error(`round ${round}: a message of ${error.message.length}`);
    outcome = error.code;
  }
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

function expectSound(tensors: readonly TensorInfo[], size: number): void {
  if (tensors.length > MAX_TENSORS) throw new Error('too many tensors');
  for (const { offset, bytes } of tensors)
    if (!(offset >= 0 && bytes > 0 && offset + bytes <= size)) throw new Error('a tensor outside its file');
}

function elements(value: unknown): number {
  if (!Array.isArray(value)) return 1;
  return value.reduce((sum: number, item) => sum + elements(item), value.length);
}

/** Lets timers and the other tests breathe. */
const breathe = () => new Promise((resolve) => setImmediate(resolve));

describe(`${ROUNDS} mutated headers: no crash, no untyped error, no allocation over the cap`, () => {
  test('GGUF', { timeout: 120_000 }, async () => {
    const original = tinyGguf(1);
    const { headerBytes } = await readGguf(new MemorySource('m', original));
    const dice = new Dice(1);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const source = new CountedSource(mutateBytes(original, headerBytes, dice), MAX_GGUF_HEADER);
      await survive(
        async () => {
          const header = await readGguf(source);
          expectSound(header.tensors, source.size);
          if (elements(Object.values(header.metadata)) > MOST_ELEMENTS) throw new Error('too many elements');
          await openModelFiles([source]);
        },
        round,
        outcomes,
      );
      if (round % 1000 === 0) await breathe();
    }
    // Every kind of refusal was reached, and some mutations were harmless.
    for (const code of [
      'read',
      'malformed',
      'truncated',
      'too-large',
      'unsupported-type',
      'unsupported-architecture',
    ])
      expect(outcomes.get(code), code).toBeGreaterThan(0);
  });

  test('safetensors', { timeout: 120_000 }, async () => {
    const [, weights] = await fixture('llama-tied');
    const tensors = (await readSafetensors(weights!)).slice(0, 8);
    const small = tensors.map(({ name, shape }) => {
      const tiny = shape.map(() => 4);
      return { name, dtype: 'F32', shape: tiny, data: new Uint8Array(4 ** (tiny.length + 1)) };
    });
    const original = writeSafetensors(small);
    const headerBytes = Number(new DataView(original.buffer).getBigUint64(0, true));
    const tree: unknown = JSON.parse(new TextDecoder().decode(original.subarray(8, 8 + headerBytes)));
    const dice = new Dice(2);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const mutated =
        round % 2 === 0
          ? mutateBytes(original, 8 + headerBytes, dice)
          : withHeader(mutateJson(tree, dice), original.subarray(8 + headerBytes));
      const source = new CountedSource(mutated, MAX_SAFETENSORS_HEADER);
      await survive(async () => expectSound(await readSafetensors(source), source.size), round, outcomes);
      if (round % 1000 === 0) await breathe();
    }
    for (const code of ['read', 'malformed', 'truncated', 'too-large', 'unsupported-type', 'not-a-model'])
      expect(outcomes.get(code), code).toBeGreaterThan(0);
  });

  test('config.json', { timeout: 120_000 }, async () => {
    const [config, weights] = await fixture('llama3-scaled-rope');
    const tree: unknown = JSON.parse(new TextDecoder().decode(await config!.read(0, config!.size)));
    const dice = new Dice(3);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < ROUNDS / 20; round++) {
      const text = new TextEncoder().encode(JSON.stringify(mutateJson(tree, dice)));
      const sources = [new MemorySource('config.json', text), weights!];
      await survive(() => openModelFiles(sources), round, outcomes);
    }
    expect(outcomes.get('read')).toBeGreaterThan(0);
  });

  test('manifest', { timeout: 120_000 }, async () => {
    const source = new MemorySource('m.gguf', tinyGguf(1));
    const { manifest } = await makeManifest(await openModelFiles([source]));
    const encoded = encodeManifest(manifest);
    const tree: unknown = JSON.parse(new TextDecoder().decode(encoded));
    const dice = new Dice(4);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const mutated =
        round % 4 === 0
          ? mutateBytes(encoded, encoded.length, dice)
          : new TextEncoder().encode(JSON.stringify(mutateJson(tree, dice)));
      await survive(
        async () => {
          const parsed = await parseManifest(mutated);
          for (const tensor of parsed.tensors) expectSound([tensor], parsed.files[tensor.file]!.bytes);
        },
        round,
        outcomes,
      );
      if (round % 1000 === 0) await breathe();
    }
    for (const code of [
      'read',
      'malformed',
      'truncated',
      'missing-tensor',
      'wrong-shape',
      'unsupported-type',
    ])
      expect(outcomes.get(code), code).toBeGreaterThan(0);
  });
});

function withHeader(tree: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(tree));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
