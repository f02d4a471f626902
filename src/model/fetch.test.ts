import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fetchTensors } from './fetch.ts';
import { HttpSource } from './http-source.ts';
import { makeManifest } from './manifest.ts';
import { MemoryStore } from './memory-store.ts';
import { openModelFiles } from './open.ts';
import { batchSpans, MAX_READ } from './ranges.ts';
import { readTokenizer } from './read-tokenizer.ts';
import { MemorySource } from './sources.ts';
import { failsWith } from './testing/fails-with.ts';
import { type FileServer, type Misbehaviour, serveFiles } from './testing/file-server.ts';
import { tinyGguf } from './testing/tiny-model.ts';
import type { Manifest } from './types.ts';
import { sourcesFromUrl } from './url-sources.ts';

const bytes = tinyGguf(3);
let manifest: Manifest;
let cid: string;
let names: string[];
const servers: FileServer[] = [];
beforeAll(async () => {
  ({ manifest, cid } = await makeManifest(await openModelFiles([new MemorySource('m.gguf', bytes)])));
  names = manifest.tensors.map(({ name }) => name);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(behaviour: Parameters<typeof serveFiles>[1] = null) {
  const server = await serveFiles({ '/m.gguf': bytes }, behaviour);
  servers.push(server);
  const url = `${server.url}/m.gguf`;
  return { server, url, open: async () => [await HttpSource.open(url, { stallMs: 200 })] };
}

/** Opens the file well and misbehaves from then on. */
const later = (fault: Misbehaviour) => (asked: string) => (asked === 'bytes=0-0' ? null : fault);

describe('fetching fills the store', () => {
  test('with few requests, each tensor checked, and a second time for nothing', async () => {
    const { server, open } = await serve();
    const store = new MemoryStore();
    const seen: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }) => seen.push(done / total);
    await fetchTensors({ manifest, names, sources: [open], store, onProgress });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect(server.ranges.length).toBeLessThanOrEqual(3);
    const before = server.sent();
    await fetchTensors({ manifest, names, sources: [open], store, onProgress });
    expect(server.sent()).toBe(before);
    expect(await readTokenizer(manifest, { store, sources: [open] })).not.toBeNull();
    const { present, total } = await store.state(cid);
    expect(present).toBe(total);
    expect(await readTokenizer(manifest, { store })).not.toBeNull();
  });

  test('only a slice is asked for when only a slice is wanted', async () => {
    const { server, open } = await serve();
    const wanted = manifest.tensors.filter(({ name }) => name.startsWith('blk.1.'));
    const size = wanted.reduce((sum, tensor) => sum + tensor.bytes, 0);
    await fetchTensors({
      manifest,
      names: wanted.map(({ name }) => name),
      sources: [open],
      store: new MemoryStore(),
    });
    expect(server.sent()).toBeLessThan(size * 1.1);
  });

  test.each<Misbehaviour>(['error', 'stall', 'short', 'wrong-bytes', 'no-ranges'])(
    'a source that fails (%s) is left for the next',
    async (fault) => {
      const bad = await serve(later(fault));
      const good = await serve();
      const store = new MemoryStore();
      await fetchTensors({ manifest, names, sources: [bad.open, good.open], store });
      expect((await store.state(cid)).present).toBeGreaterThan(0);
      for (const { sha256, bytes: size } of manifest.tensors)
        expect(await store.has(sha256, size)).toBe(true);
    },
  );

  test('when all sources fail, the last reason is told and what came is kept', async () => {
    const store = new MemoryStore();
    const half = bytes.slice();
    half.fill(0, manifest.tensors[20]!.offset);
    const sources = [[new MemorySource('half.gguf', half)]];
    await failsWith(fetchTensors({ manifest, names, sources, store }), 'wrong-hash');
    const { present, total } = await store.state(cid);
    expect(present).toBeGreaterThan(0);
    expect(present).toBeLessThan(total);
    await failsWith(fetchTensors({ manifest, names, sources: [], store }), 'not-found');
    const other = [[new MemorySource('other.gguf', bytes.slice(1))]];
    await failsWith(fetchTensors({ manifest, names, sources: other, store }), 'wrong-shape');
    // Complete it from a good source: only the rest is read.
    const { server, open } = await serve();
    await fetchTensors({ manifest, names, sources: [open], store });
    expect(server.sent()).toBeLessThan(bytes.length - present / 2);
  });

  test('a full store ends it at once; stop means stop', async () => {
    const { server, open } = await serve();
    await failsWith(
      fetchTensors({ manifest, names, sources: [open, open], store: new MemoryStore(20_000) }),
      'no-space',
    );
    expect(server.ranges.filter((range) => range === 'bytes=0-0')).toHaveLength(1);
    const stalled = await serve(later('stall'));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const sources = [async () => [await HttpSource.open(stalled.url)]];
    const started = performance.now();
    await failsWith(
      fetchTensors({ manifest, names, sources, store: new MemoryStore(), signal: abort.signal }),
      'aborted',
    );
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('a URL', () => {
  test('that is missing, failing, silent, or too large without ranges gives a typed error', async () => {
    const { url } = await serve();
    await failsWith(HttpSource.open(`${url}x`), 'not-found');
    await failsWith(HttpSource.open((await serve('error')).url), 'unreachable', /503/);
    await failsWith(HttpSource.open('http://127.0.0.1:9/x.gguf'), 'unreachable');
    const source = await HttpSource.open((await serve(later('stall'))).url, { stallMs: 100 });
    await failsWith(source.read(0, 100), 'stalled', /0\.1 s/);
    await failsWith(source.read(bytes.length - 1, 2), 'truncated');
    const large = await serveFiles({ '/l.bin': new Uint8Array(9 * 1024 * 1024) }, 'no-ranges');
    servers.push(large);
    await failsWith(HttpSource.open(`${large.url}/l.bin`), 'too-large', /range/);
  });

  test('of a server without ranges works for a small file', async () => {
    const source = await HttpSource.open((await serve('no-ranges')).url);
    expect(Buffer.compare(await source.read(5, 50), bytes.subarray(5, 55))).toBe(0);
  });

  test('of a Hugging Face folder brings what is there', async () => {
    const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const server = await serveFiles({
      '/m/config.json': json({}),
      '/m/model.safetensors.index.json': json({ weight_map: { a: 'a.safetensors' } }),
      '/m/a.safetensors': bytes,
      '/m/tokenizer.json': json({}),
      '/evil/config.json': json({}),
      '/evil/model.safetensors.index.json': json({ weight_map: { a: '../../secret' } }),
    });
    servers.push(server);
    const expected = ['a.safetensors', 'config.json', 'model.safetensors.index.json', 'tokenizer.json'];
    for (const url of ['/m', '/m/', '/m/config.json']) {
      const sources = await sourcesFromUrl(`${server.url}${url}`);
      expect(sources.map(({ name }) => name).sort()).toEqual(expected);
    }
    await failsWith(sourcesFromUrl(`${server.url}/evil`), 'malformed');
  });
});

test('neighbours are read together up to the cap, far ones alone', () => {
  const span = (offset: number, size: number) => ({ file: 0, offset, bytes: size });
  const sizes = (spans: ReturnType<typeof span>[]) => batchSpans(spans).map((batch) => batch.bytes);
  expect(sizes([span(100, 50), span(0, 100)])).toEqual([150]);
  expect(sizes([span(0, 100), span(200_000, 100)])).toEqual([100, 100]);
  expect(sizes([span(0, MAX_READ), span(MAX_READ, 1)])).toEqual([MAX_READ, 1]);
});
