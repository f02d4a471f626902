import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { configFromHuggingFace } from './config-huggingface.ts';
import { openModelFiles } from './open.ts';
import { readSafetensors } from './safetensors.ts';
import { MemorySource } from './sources.ts';
import { failsWith } from './testing/fails-with.ts';
import { fixture, writeSafetensors } from './testing/huggingface-files.ts';

const expected = (name: string) =>
  readFile(fileURLToPath(new URL(`../../fixtures/${name}/config.json`, import.meta.url)), 'utf8').then(
    JSON.parse,
  );

describe('every fixture opens', () => {
  test.each(['llama-tied', 'llama3-scaled-rope', 'qwen2', 'qwen3'])('%s', async (name) => {
    const opened = await openModelFiles(await fixture(name));
    const raw = await expected(name);
    expect(opened.config).toMatchObject({
      layers: raw.num_hidden_layers,
      width: raw.hidden_size,
      vocabulary: raw.vocab_size,
      ropeTheta: raw.rope_parameters.rope_theta,
      tiedEmbedding: raw.tie_word_embeddings,
      interleavedRope: false,
    });
    expect(opened.config.ropeScaling.kind).toBe(name === 'llama3-scaled-rope' ? 'llama3' : 'none');
    expect(opened.tensors.some((tensor) => tensor.name === 'blk.3.ffn_down.weight')).toBe(true);
  });

  test('split into shards with an index, it has the same tensors', async () => {
    const [config, weights] = await fixture('llama-tied');
    const tensors = await readSafetensors(weights!);
    const parts = [tensors.slice(0, 20), tensors.slice(20)];
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const map: Record<string, string> = {};
    const shards = [];
    for (const [i, part] of parts.entries()) {
      const entries = [];
      for (const { name, shape, offset, bytes } of part)
        entries.push({ name, dtype: 'F32', shape, data: await weights!.read(offset, bytes) });
      for (const { name } of part) map[name] = names[i]!;
      shards.push(new MemorySource(names[i]!, writeSafetensors(entries)));
    }
    const index = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
    const files = [shards[1]!, new MemorySource('model.safetensors.index.json', index), config!, shards[0]!];
    const opened = await openModelFiles(files);
    expect(opened.fileNames).toEqual(names);
    expect(new Set(opened.tensors.map(({ name }) => name))).toEqual(new Set(tensors.map(({ name }) => name)));
    await failsWith(openModelFiles(files.slice(1)), 'not-found', /00002/);
  });
});

describe('a configuration that would not run is refused by name', () => {
  test.each([
    [{ model_type: 'gemma2' }, 'unsupported-architecture', /"gemma2"/],
    [{ hidden_act: 'gelu' }, 'unsupported-architecture', /"gelu"/],
    [
      { rope_scaling: { type: 'yarn', factor: 4 }, rope_parameters: undefined },
      'unsupported-architecture',
      /"yarn"/,
    ],
    [{ partial_rotary_factor: 0.5 }, 'unsupported-architecture', /partial rotary/],
    [{ num_local_experts: 8 }, 'unsupported-architecture', /experts/],
    [{ mlp_bias: true }, 'unsupported-architecture', /mlp_bias/],
    [{ quantization_config: { quant_method: 'gptq' } }, 'unsupported-type', /GGUF/],
    [{ num_key_value_heads: 3 }, 'malformed', /heads/],
    [{ hidden_size: 1e9 }, 'malformed', /65536/],
    [{ rms_norm_eps: 'small' }, 'malformed', /normEpsilon/],
  ] as const)('%j', async (change, code, message) => {
    const raw = { ...(await expected('llama-tied')), ...change };
    await failsWith((async () => configFromHuggingFace(raw))(), code, message);
  });

  test('old and new spellings of the rope settings mean the same; a sliding window caps the context', async () => {
    const { rope_parameters: rope, ...raw } = await expected('llama3-scaled-rope');
    const { rope_theta, ...scaling } = rope;
    const old = configFromHuggingFace({ ...raw, rope_theta, rope_scaling: scaling });
    expect(old).toEqual(configFromHuggingFace({ ...raw, rope_parameters: rope }));
    const mistral = configFromHuggingFace({ ...raw, model_type: 'mistral', rope_theta, sliding_window: 100 });
    expect([mistral.architecture, mistral.contextLength]).toEqual(['llama', 100]);
  });
});

describe('a bad file is refused with a typed error', () => {
  const read = (header: string, data = 128) => {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + text.length + data);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return readSafetensors(new MemorySource('bad.safetensors', bytes));
  };

  test.each([
    ['{"a":{"dtype":"F32","shape":[32],"data_offsets":[0,127]}}', 'malformed'],
    ['{"a":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}', 'truncated'],
    ['{"a":{"dtype":"F32","shape":[1e15,1e15],"data_offsets":[0,128]}}', 'malformed'],
    ['{"a":{"dtype":"F32","shape":[-32],"data_offsets":[0,128]}}', 'malformed'],
    ['{"a":{"dtype":"F8_E4M3","shape":[32],"data_offsets":[0,32]}}', 'unsupported-type'],
    [
      '{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,64]},"b":{"dtype":"F32","shape":[16],"data_offsets":[32,96]}}',
      'malformed',
    ],
    ['{"a":5}', 'malformed'],
    ['{"a":', 'malformed'],
    ['[1]', 'not-a-model'],
  ] as const)('%s', async (header, code) => {
    await failsWith(read(header), code);
  });

  test('a header length that lies is refused before it is read', async () => {
    const bytes = new Uint8Array(64).fill(0x7b);
    const view = new DataView(bytes.buffer);
    for (const [length, code] of [
      [2n ** 62n, 'too-large'],
      [1000n, 'truncated'],
    ] as const) {
      view.setBigUint64(0, length, true);
      await failsWith(readSafetensors(new MemorySource('lies.safetensors', bytes)), code);
    }
  });

  test('weights without their configuration, and a configuration without weights', async () => {
    const [config, weights] = await fixture('qwen2');
    await failsWith(openModelFiles([weights!]), 'not-a-model', /config\.json/);
    await failsWith(openModelFiles([config!]), 'not-a-model', /weights/);
    await failsWith(openModelFiles([]), 'not-a-model');
  });
});
