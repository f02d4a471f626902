import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from './hash.ts';
import { encodeManifest, makeManifest } from './manifest.ts';
import { MemoryStore } from './memory-store.ts';
import { openFolderStore } from './node.ts';
import { openModelFiles } from './open.ts';
import { MemorySource } from './sources.ts';
import { blobsOf, ContentStore, type ModelStore, type StoreFiles, type StoreFolder } from './store.ts';
import { failsWith } from './testing/fails-with.ts';
import { fillBytes, tinyGguf } from './testing/tiny-model.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-store-'));
});
afterEach(() => rm(root, { recursive: true }));

const kinds: [string, () => Promise<ModelStore>][] = [
  ['in a folder', () => openFolderStore(root)],
  ['in memory', async () => new MemoryStore()],
];

describe.each(kinds)('a store %s', (_kind, open) => {
  test('gives back what it took, and nothing else', async () => {
    const store = await open();
    const data = fillBytes(1000, 1);
    const hash = await sha256Hex(data);
    expect(await store.has(hash, 1000)).toBe(false);
    await failsWith(store.read(hash, 1000), 'not-found');
    await store.write(hash, data);
    expect(await store.has(hash, 1000)).toBe(true);
    expect(await store.has(hash, 999)).toBe(false);
    expect(Buffer.compare(await store.read(hash, 1000), data)).toBe(0);
    const other = { sha256: 'f'.repeat(64), bytes: 1 };
    const shorter = { sha256: hash, bytes: 999 };
    expect(await store.missing([other, { sha256: hash, bytes: 1000 }, shorter])).toEqual([other, shorter]);
    await failsWith(store.write(hash, fillBytes(1000, 2)), 'wrong-hash');
    await failsWith(store.write('../../etc/passwd', data), 'malformed');
    await failsWith(store.addManifest('../x', data), 'malformed');
    await failsWith(store.read(hash, 1000, AbortSignal.abort()), 'aborted');
  });

  test('says how much of a model is here, and removing one keeps what another uses', async () => {
    const store = await open();
    const models = [];
    for (const layers of [1, 2]) {
      const bytes = tinyGguf(layers);
      const made = await makeManifest(await openModelFiles([new MemorySource('m.gguf', bytes)]));
      await store.addManifest(made.cid, encodeManifest(made.manifest));
      expect((await store.state(made.cid)).present).toBeLessThan((await store.state(made.cid)).total);
      for (const { sha256, offset, bytes: length } of [
        ...made.manifest.tensors,
        ...made.manifest.tokenizer!.ranges,
      ])
        await store.write(sha256, bytes.slice(offset, offset + length));
      models.push(made);
    }
    const [small, large] = models;
    const whole = [...blobsOf(large!.manifest).values()].reduce((a, b) => a + b);
    expect(await store.state(large!.cid)).toEqual({ present: whole, total: whole });
    expect((await store.manifests()).map(({ cid }) => cid).sort()).toEqual([small!.cid, large!.cid].sort());
    await store.remove(small!.cid);
    expect(await store.state(large!.cid)).toEqual({ present: whole, total: whole });
    expect(await store.state(small!.cid)).toEqual({ present: 0, total: 0 });
    await store.remove(large!.cid);
    expect((await store.usage()).used).toBe(0);
  });
});

test('what is missing is asked for all at once', async () => {
  const blobs = Array.from({ length: 300 }, (_, i) => ({
    sha256: i.toString(16).padStart(64, '0'),
    bytes: i,
  }));
  const answers: (() => void)[] = [];
  const files: Pick<StoreFiles, 'size'> = {
    // No question is answered before the last one came.
    size: (_folder: StoreFolder, name: string) =>
      new Promise((resolve) => {
        const bytes = Number.parseInt(name, 16);
        answers.push(() => resolve(bytes % 2 ? bytes : null));
        if (answers.length === blobs.length) for (const answer of answers) answer();
      }),
  };
  const store = new ContentStore(files as StoreFiles);
  expect(await store.missing(blobs)).toEqual(blobs.filter(({ bytes }) => bytes % 2 === 0));
});

test('a damaged blob is seen, deleted, and can be written again', async () => {
  const store = await openFolderStore(root);
  const data = fillBytes(1000, 3);
  const hash = await sha256Hex(data);
  await store.write(hash, data);
  await writeFile(join(root, 'blobs', hash), fillBytes(1000, 4));
  await failsWith(store.read(hash, 1000), 'wrong-hash', /[Ff]etch/);
  expect(await store.has(hash, 1000)).toBe(false);
  await store.write(hash, data);
  expect(await store.read(hash, 1000)).toHaveLength(1000);
  expect(await readdir(join(root, 'blobs'))).toEqual([hash]);
});

test('a damaged manifest is dropped, not served', async () => {
  const store = await openFolderStore(root);
  const { cid, manifest } = await makeManifest(
    await openModelFiles([new MemorySource('m.gguf', tinyGguf())]),
  );
  await store.addManifest(cid, encodeManifest(manifest));
  await writeFile(join(root, 'manifests', cid), '{');
  expect(await store.manifests()).toEqual([]);
});

test('a full store says how much is needed and free', async () => {
  const store = new MemoryStore(1500);
  const data = fillBytes(1000, 5);
  await store.write(await sha256Hex(data), data);
  await store.write(await sha256Hex(data), data);
  const more = fillBytes(1001, 6);
  await failsWith(store.write(await sha256Hex(more), more), 'no-space', /1001 bytes.*500/);
  expect((await store.usage()).used).toBe(1000);
});
