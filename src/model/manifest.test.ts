import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { canonicalJson, contentId } from './cid.ts';
import { HttpSource } from './http-source.ts';
import { encodeManifest, makeManifest, manifestCid } from './manifest.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from './manifest-parse.ts';
import { openFolderStore, openWeights, sourcesFrom } from './node.ts';
import { openModelFiles } from './open.ts';
import { sliceBytes, sliceTensors, wholeSlice } from './slice.ts';
import { BlobSource, MemorySource } from './sources.ts';
import { failsWith } from './testing/fails-with.ts';
import { type FileServer, serveFiles } from './testing/file-server.ts';
import { fixture } from './testing/huggingface-files.ts';
import { tinyGguf } from './testing/tiny-model.ts';
import type { ByteSource, Manifest, TensorReader } from './types.ts';
import { openWeights as openWeightsInTab } from './web.ts';

const bytes = tinyGguf(3);
const make = async (source: ByteSource) => makeManifest(await openModelFiles([source]));
let folder: string;
let path: string;
let server: FileServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-manifest-'));
  path = join(folder, 'renamed.gguf');
  await writeFile(path, bytes);
  server = await serveFiles({ '/models/tiny.gguf': bytes });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await server.close();
});

describe('a model has one cid', () => {
  test('whatever the source, and however the file is named', async () => {
    const { cid } = await make(new MemorySource('a.gguf', bytes));
    const file = new File([bytes as Uint8Array<ArrayBuffer>], 'picked (1).gguf');
    expect(cid).toMatch(/^bafkrei/);
    expect((await make(new BlobSource(file))).cid).toBe(cid);
    expect((await make((await sourcesFrom(path))[0]!)).cid).toBe(cid);
    expect((await make((await sourcesFrom(`${server.url}/models/tiny.gguf`))[0]!)).cid).toBe(cid);
    expect((await make(await HttpSource.open(`${server.url}/models/tiny.gguf?x=1`))).cid).toBe(cid);
  });

  test('with and without WebCrypto, which plain http takes away', async () => {
    const { cid } = await make(new MemorySource('a.gguf', bytes));
    vi.stubGlobal('crypto', undefined);
    try {
      expect((await make(new MemorySource('a.gguf', bytes))).cid).toBe(cid);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('in whatever order the files of a folder come; another model has another', async () => {
    const files = await fixture('qwen3');
    const { cid } = await makeManifest(await openModelFiles(files));
    expect((await makeManifest(await openModelFiles(files.toReversed()))).cid).toBe(cid);
    expect((await makeManifest(await openModelFiles(await fixture('qwen2')))).cid).not.toBe(cid);
  });

  test('one changed weight changes it', async () => {
    const other = bytes.slice();
    other[other.length - 100]! ^= 1;
    expect((await make(new MemorySource('a', other))).cid).not.toBe(
      (await make(new MemorySource('a', bytes))).cid,
    );
  });

  test('progress is told in bytes, and it can be stopped', async () => {
    const opened = await openModelFiles([new MemorySource('a.gguf', bytes)]);
    const seen: number[] = [];
    await makeManifest(opened, { onProgress: (done, total) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    await failsWith(makeManifest(opened, { signal: AbortSignal.abort() }), 'aborted');
  });
});

describe("a stranger's manifest is checked", () => {
  let manifest: Manifest;
  beforeAll(async () => {
    ({ manifest } = await make(new MemorySource('a.gguf', bytes)));
  });

  test('the honest one comes back the same', async () => {
    const encoded = encodeManifest(manifest);
    expect(await parseManifest(encoded, await manifestCid(manifest))).toEqual(manifest);
  });

  test('another cid, another size, another form', async () => {
    const encoded = encodeManifest(manifest);
    await failsWith(parseManifest(encoded, await contentId(new Uint8Array(3))), 'wrong-hash');
    await failsWith(parseManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1)), 'too-large');
    const spaced = new TextEncoder().encode(
      JSON.stringify(JSON.parse(new TextDecoder().decode(encoded)), null, 1),
    );
    await failsWith(parseManifest(spaced), 'malformed', /canonical/);
    const extra = new TextEncoder().encode(canonicalJson({ ...manifest, extra: 1 }));
    await failsWith(parseManifest(extra), 'malformed', /canonical/);
  });

  test.each<[string, (value: Manifest) => unknown, RegExp]>([
    ['a file name with a folder', (m) => Object.assign(m.files[0]!, { name: '../a' }), /file name/],
    ['bytes that do not fit the shape', (m) => Object.assign(m.tensors[1]!, { bytes: 1 }), /cannot hold/],
    [
      'a tensor past the end of its file',
      (m) => Object.assign(m.tensors.at(-1)!, { offset: 1e9 }),
      /ends at byte/,
    ],
    ['a tensor twice', (m) => m.tensors.splice(1, 0, m.tensors[1]!), /overlap/],
    ['tensors out of order', (m) => m.tensors.reverse(), /order/],
    ['a hash in capitals', (m) => Object.assign(m.tensors[0]!, { sha256: 'A'.repeat(64) }), /SHA-256/],
    ['a tensor less', (m) => m.tensors.pop(), /has no/],
    ['another number of layers', (m) => Object.assign(m.config, { layers: 1 }), /does not|unknown/],
    [
      'a tokenizer past the end',
      (m) => Object.assign(m.tokenizer!.ranges[0]!, { bytes: 1e8 }),
      /whole number/,
    ],
    ['an unknown architecture', (m) => Object.assign(m.config, { architecture: 'mamba' }), /"mamba"/],
    [
      'mistral, which is called llama here',
      (m) => Object.assign(m.config, { architecture: 'mistral' }),
      /llama/,
    ],
    ['another version', (m) => Object.assign(m, { version: 2 }), /version 2/],
  ])('%s', async (_what, change, message) => {
    const copy = structuredClone(manifest);
    change(copy);
    await expect(parseManifest(encodeManifest(copy))).rejects.toThrow(message);
  });
});

describe('a slice needs its own tensors only', () => {
  test('front, middle and tail share nothing but the tied embedding', async () => {
    const { manifest } = await make(new MemorySource('a.gguf', bytes));
    const names = (start: number, end: number, embed: boolean, head: boolean) =>
      sliceTensors(manifest, { start, end, embed, head }).map(({ name }) => name);
    expect(names(0, 1, true, false)).toHaveLength(10);
    expect(names(1, 2, false, false).every((name) => name.startsWith('blk.1.'))).toBe(true);
    expect(names(2, 3, false, true)).toEqual(
      expect.arrayContaining(['token_embd.weight', 'output_norm.weight']),
    );
    expect(names(3, 3, false, true)).toEqual(['token_embd.weight', 'output_norm.weight']);
    expect(sliceTensors(manifest, wholeSlice(manifest))).toEqual(manifest.tensors);
    const total = manifest.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    expect(sliceBytes(manifest, wholeSlice(manifest))).toBe(total);
    for (const [start, end] of [
      [1, 0],
      [0, 4],
      [-1, 2],
      [0.5, 2],
      [2, 2],
    ] as const)
      expect(() => sliceTensors(manifest, { start, end, embed: false, head: false })).toThrow(/no slice/);
  });
});

describe('weights open where they lie, and damage is seen', () => {
  test('files, memory and store give the same bytes', async () => {
    const { manifest } = await make(new MemorySource('a.gguf', bytes));
    const tensors = new Map<string, Uint8Array>();
    const root = join(folder, 'store');
    const store = await openFolderStore(root);
    for (const { sha256, offset, bytes: length } of manifest.tensors) {
      tensors.set(sha256, bytes.slice(offset, offset + length));
      await store.write(sha256, bytes.slice(offset, offset + length));
    }
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const readers: TensorReader[] = [
      await openWeights(manifest, { kind: 'files', files: [path] }),
      await openWeights(manifest, { kind: 'files', files: [blob] }),
      await openWeights(manifest, { kind: 'memory', tensors }),
      await openWeights(manifest, { kind: 'store', root }),
      await openWeightsInTab(manifest, { kind: 'files', files: [blob] }),
      await openWeightsInTab(manifest, { kind: 'memory', tensors }),
    ];
    for (const reader of readers)
      for (const { name, offset, bytes: length } of manifest.tensors)
        expect(Buffer.compare(await reader.read(name), bytes.subarray(offset, offset + length))).toBe(0);
    await failsWith(readers[0]!.read('blk.9.ffn_up.weight'), 'missing-tensor');
  });

  test('a changed file, a shorter one, and a path in a tab', async () => {
    const { manifest } = await make(new MemorySource('a.gguf', bytes));
    const changed = bytes.slice();
    changed[manifest.tensors[0]!.offset]! ^= 1;
    const damaged = new Blob([changed as Uint8Array<ArrayBuffer>]);
    const reader = await openWeights(manifest, { kind: 'files', files: [damaged] });
    await failsWith(reader.read(manifest.tensors[0]!.name), 'wrong-hash', /token_embd/);
    await failsWith(openWeights(manifest, { kind: 'files', files: [damaged.slice(0, 9)] }), 'wrong-shape');
    await failsWith(openWeightsInTab(manifest, { kind: 'files', files: ['/a.gguf'] }), 'unreachable');
  });
});
