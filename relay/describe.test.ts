import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemorySource } from '../src/model/index.ts';
import { describeModel } from './describe.ts';
import { download } from './download.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/qwen3', import.meta.url));
let folder: string;
let model: string;
let keep: string;
let hashed: number;
const describeIt = () => {
  hashed = 0;
  return describeModel(model, keep, { onProgress: (done) => (hashed = done) });
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-describe-'));
  model = join(folder, 'qwen3');
  keep = join(folder, 'models/qwen3.manifest.json');
  await cp(FIXTURE, model, { recursive: true });
});

afterEach(() => rm(folder, { recursive: true }));

it('a model is hashed once, and not again at the next start', async () => {
  const first = await describeIt();
  expect(hashed).toBeGreaterThan(0);
  expect(first.files.map((file) => file.path)).toContain(join(model, 'model.safetensors'));
  expect(first.files.map((file) => file.bytes)).toEqual(first.manifest.files.map((file) => file.bytes));
  const second = await describeIt();
  expect(hashed).toBe(0);
  expect([second.cid, second.files]).toEqual([first.cid, first.files]);
});

it('a file that changed is hashed again, and so is a manifest that somebody edited', async () => {
  const { cid } = await describeIt();
  await utimes(join(model, 'model.safetensors'), 1, 1);
  expect([(await describeIt()).cid, hashed > 0]).toEqual([cid, true]);
  await writeFile(keep, (await readFile(keep, 'utf8')).replace('"version":1', '"version":2'));
  expect([(await describeIt()).cid, hashed > 0]).toEqual([cid, true]);
  await writeFile(keep.replace('.json', '.stamp.json'), '{"cid":7');
  expect([(await describeIt()).cid, hashed > 0]).toEqual([cid, true]);
});

it('a download that was cut continues where it stopped, unless it comes from elsewhere', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  const path = join(folder, 'models/a.gguf');
  let asked = 0;
  const source = (failAfter: number) => {
    const memory = new MemorySource('a.gguf', bytes);
    return {
      name: 'a.gguf',
      size: bytes.length,
      read: async (offset: number, length: number) => {
        // A line that dies in the middle: the bytes before stay.
        if (offset >= failAfter) throw new Error('the line broke');
        asked += Math.min(length, failAfter - offset);
        return (await memory.read(offset, Math.min(length, failAfter - offset))).slice();
      },
    };
  };
  await expect(download(source(20_000), path, 'here')).rejects.toThrow('the line broke');
  expect(await readdir(join(folder, 'models'))).not.toContain('a.gguf');
  asked = 0;
  await download(source(Number.POSITIVE_INFINITY), path, 'here');
  expect(asked).toBe(30_000);
  expect(new Uint8Array(await readFile(path))).toEqual(bytes);

  await rm(path);
  await rm(`${path}.from`);
  await expect(download(source(20_000), path, 'here')).rejects.toThrow('the line broke');
  asked = 0;
  await download(source(Number.POSITIVE_INFINITY), path, 'there');
  expect(asked).toBe(50_000);
  expect(await readdir(join(folder, 'models'))).toEqual(['a.gguf', 'a.gguf.from']);
  await download(source(Number.POSITIVE_INFINITY), path, 'there');
  expect(asked).toBe(50_000);
});
