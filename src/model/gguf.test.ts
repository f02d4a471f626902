import { describe, expect, test } from 'vitest';
import { MAX_GGUF_HEADER, readGguf } from './gguf.ts';
import { openModelFiles } from './open.ts';
import { MemorySource } from './sources.ts';
import { TENSOR_TYPES, tensorBytes } from './tensor-types.ts';
import { failsWith } from './testing/fails-with.ts';
import { type GgufFile, writeGguf } from './testing/gguf-writer.ts';
import { fillBytes, tinyGguf, tinyParts } from './testing/tiny-model.ts';
import type { ByteSource, TensorType } from './types.ts';

const source = (bytes: Uint8Array) => new MemorySource('test.gguf', bytes);
const open = (file: GgufFile) => openModelFiles([source(writeGguf(file))]);
const withKey = (key: string, value: GgufFile['metadata'][string]) => {
  const file = tinyParts();
  return open({ ...file, metadata: { ...file.metadata, [key]: value } });
};

describe('what is in a GGUF file is read', () => {
  test('both versions, every value type, and every tensor type at its place', async () => {
    const types = Object.keys(TENSOR_TYPES) as TensorType[];
    const tensors = types.map((type, i) => ({
      name: `t.${type}`,
      type,
      shape: [3, 256],
      data: fillBytes(tensorBytes(type, [3, 256])!, i),
    }));
    const metadata: GgufFile['metadata'] = {
      'general.architecture': 'llama',
      'general.alignment': 64,
      a: { type: 'uint8', value: 200 },
      b: { type: 'int8', value: -5 },
      c: { type: 'uint16', value: 60_000 },
      d: { type: 'int16', value: -30_000 },
      e: { type: 'uint64', value: 2 ** 52 },
      f: { type: 'int64', value: -(2 ** 52) },
      g: { type: 'float64', value: Math.PI },
      h: [true, false],
      i: ['x', 'ü', ''],
      j: [1.5, -2],
      __proto: 'a',
    };
    for (const version of [2, 3]) {
      const bytes = writeGguf({ metadata, tensors, version });
      const header = await readGguf(source(bytes));
      expect(header.version).toBe(version);
      expect({ ...header.metadata }).toMatchObject({
        a: 200,
        b: -5,
        c: 60_000,
        d: -30_000,
        e: 2 ** 52,
        f: -(2 ** 52),
      });
      expect({ ...header.metadata }).toMatchObject({
        g: Math.PI,
        h: [true, false],
        i: ['x', 'ü', ''],
        j: [1.5, -2],
      });
      for (const [i, tensor] of header.tensors.entries()) {
        expect(tensor).toMatchObject({ name: tensors[i]!.name, type: types[i], shape: [3, 256] });
        expect(tensor.offset % 64).toBe(0);
        expect(bytes.subarray(tensor.offset, tensor.offset + tensor.bytes)).toEqual(tensors[i]!.data);
      }
    }
  });

  test('a header longer than the first window is read on, and nothing after it', async () => {
    const file = tinyParts();
    const tokens = Array.from({ length: 200_000 }, (_, i) => `token number ${i}`);
    const bytes = writeGguf({ ...file, metadata: { ...file.metadata, 'tokenizer.ggml.tokens': tokens } });
    const asked: number[] = [];
    const counted: ByteSource = {
      name: 'long.gguf',
      size: bytes.length + 10 ** 9,
      read: async (offset, length) => {
        asked.push(length);
        const part = new Uint8Array(length);
        part.set(bytes.subarray(offset, offset + length));
        return part;
      },
    };
    const header = await readGguf(counted);
    expect(header.metadata['tokenizer.ggml.tokens']).toHaveLength(200_000);
    expect(asked.reduce((a, b) => a + b)).toBe(8 * 1024 * 1024);
  });

  test('the configuration follows the keys', async () => {
    const { config, tokenizer, chatTemplate, name } = await open(tinyParts());
    expect(config).toMatchObject({
      architecture: 'llama',
      layers: 2,
      width: 32,
      heads: 4,
      kvHeads: 2,
      headSize: 8,
    });
    expect(config).toMatchObject({
      vocabulary: 16,
      contextLength: 128,
      interleavedRope: true,
      tiedEmbedding: true,
    });
    expect([tokenizer?.kind, chatTemplate, name]).toEqual(['gguf', '{{ messages[0].content }}', 'Tiny']);
    expect((await withKey('llama.attention.sliding_window', 64)).config.contextLength).toBe(64);
    expect((await withKey('llama.rope.scaling.factor', 4)).config.ropeScaling).toEqual({
      kind: 'linear',
      factor: 4,
    });
  });
});

describe('a model that would not run is refused by name', () => {
  test('another architecture', async () => {
    await failsWith(
      withKey('general.architecture', 'gemma3'),
      'unsupported-architecture',
      /"gemma3".*llama.*qwen3/,
    );
    await failsWith(withKey('general.architecture', 'toString'), 'unsupported-architecture', /"toString"/);
  });

  test.each([
    ['llama.rope.scaling.type', 'yarn', /"yarn"/],
    ['llama.rope.dimension_count', 4, /partial rotary/],
    ['llama.expert_count', 8, /mixture of experts/],
    ['llama.attention.value_length', 16, /values of another size/],
    ['llama.final_logit_softcapping', 30, /soft-capping/],
    ['llama.attention.causal', false, /causal/],
    ['llama.attention.head_count_kv', [2, 4], /different shapes/],
  ])('%s = %s', async (key, value, message) => {
    await failsWith(withKey(key, value), 'unsupported-architecture', message);
  });

  test('another tensor type, with the tensor and what runs', async () => {
    const bytes = tinyGguf();
    // The type number of the first tensor comes right after its name, rank and two dimensions.
    const at = Buffer.from(bytes.buffer).indexOf('token_embd.weight') + 'token_embd.weight'.length + 4 + 16;
    bytes[at] = 10;
    await failsWith(
      openModelFiles([source(bytes)]),
      'unsupported-type',
      /token_embd.weight.*Q2_K.*F32.*Q6_K/,
    );
  });

  test('a tensor that the arithmetic would leave out', async () => {
    const file = tinyParts();
    const extra = {
      name: 'blk.0.ffn_gate_inp.weight',
      type: 'F32',
      shape: [32],
      data: new Uint8Array(128),
    } as const;
    await failsWith(
      open({ ...file, tensors: [...file.tensors, extra] }),
      'unsupported-architecture',
      /ffn_gate_inp/,
    );
  });
});

describe('a bad file is refused with a typed error', () => {
  test('every truncation of the header and one of the data', async () => {
    const bytes = tinyGguf();
    const { headerBytes } = await readGguf(source(bytes));
    for (let length = 5; length < headerBytes; length += 3)
      await failsWith(readGguf(source(bytes.slice(0, length))), 'truncated');
    await failsWith(readGguf(source(bytes.slice(0, -64))), 'truncated', /incomplete/);
    for (const length of [0, 3]) await failsWith(readGguf(source(bytes.slice(0, length))), 'truncated');
  });

  test('counts that lie cost nothing', async () => {
    for (const at of [8, 16]) {
      const bytes = tinyGguf();
      new DataView(bytes.buffer).setBigUint64(at, 2n ** 60n, true);
      await failsWith(readGguf(source(bytes)), 'malformed', /2|lies/);
      new DataView(bytes.buffer).setBigUint64(at, 2n ** 40n, true);
      await failsWith(readGguf(source(bytes)), 'too-large');
    }
  });

  test('a header without end stops at the cap', async () => {
    let asked = 0;
    const endless: ByteSource = {
      name: 'endless.gguf',
      size: 2 ** 45,
      read: async (offset, length) => {
        asked += length;
        const part = new Uint8Array(length);
        // One key whose value is a list of 2^23 - 1 strings of 8 bytes: longer than any window.
        if (offset === 0) part.set(tinyGguf().subarray(0, 8));
        const view = new DataView(part.buffer);
        if (offset === 0) {
          view.setBigUint64(16, 1n, true);
          view.setUint32(32, 8 + 1, true);
          view.setUint32(33, 9, true);
          view.setUint32(37, 8, true);
          view.setBigUint64(41, 2n ** 23n, true);
          view.setBigUint64(24, 1n, true);
          part[32] = 97;
        }
        return part;
      },
    };
    await failsWith(readGguf(endless), 'too-large', /header/);
    expect(asked).toBe(MAX_GGUF_HEADER);
  });

  test('an alignment that is no power of two, a missing tensor, a wrong shape', async () => {
    await failsWith(withKey('general.alignment', 48), 'malformed', /power of two/);
    const file = tinyParts();
    await failsWith(
      open({ ...file, tensors: file.tensors.slice(0, -1) }),
      'missing-tensor',
      /blk\.1\.ffn_down/,
    );
    await failsWith(withKey('llama.feed_forward_length', 96), 'wrong-shape', /ffn_/);
    await failsWith(withKey('llama.block_count', 1_000_000), 'malformed', /512/);
  });

  test('something that is no GGUF, a version of the past, a file of the other byte order', async () => {
    await failsWith(readGguf(source(new TextEncoder().encode('<!doctype html>'))), 'not-a-model');
    await failsWith(readGguf(source(writeGguf({ ...tinyParts(), version: 1 }))), 'malformed', /version 1/);
  });
});
