import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RecordedLog } from './hosting/testing/recorded-log.ts';
import { prepareModel } from './library.ts';
import { Preparation } from './preparation.ts';
import { type ServedModel, Shelf } from './shelf.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
const going = () => new AbortController().signal;
let data: string;
let model: ServedModel;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-preparation-'));
  model = await prepareModel(join(FIXTURES, 'qwen2'), data);
});
afterAll(() => rm(data, { recursive: true }));

it('each model is served as soon as it is there; what is wrong with one is told and counted', async () => {
  const log = new RecordedLog();
  const served: string[] = [];
  const counted: unknown[] = [];
  const wanted = [join(FIXTURES, 'qwen2'), join(data, 'absent.gguf'), join(FIXTURES, 'qwen3')];
  const shelf = new Shelf();
  const preparation = new Preparation(wanted, {
    log,
    meters: { count: (...what) => void counted.push(what), observe: () => undefined },
    onServed: ({ id, cid }) => {
      // On the shelf before anybody is told.
      expect(shelf.find(cid)?.id).toBe(id);
      served.push(id);
    },
  });
  expect(preparation.health().map(({ stage }) => stage)).toEqual(['waiting', 'waiting', 'waiting']);
  await preparation.run(data, shelf, going());
  expect(served).toEqual(['qwen2', 'qwen3']);
  expect(preparation.health()).toEqual([expect.objectContaining({ model: 'absent.gguf', stage: 'failed' })]);
  expect(counted).toEqual([['shoal_errors_total', { room: 'models', code: 'not-found' }]]);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect(log.told.filter((line) => line.startsWith('Serving'))).toHaveLength(2);
});

it('a stop leaves the rest, and says nothing about it', async () => {
  const log = new RecordedLog();
  const shelf = new Shelf();
  const preparation = new Preparation([join(FIXTURES, 'qwen2')], { log });
  await preparation.run(join(data, 'fresh'), shelf, AbortSignal.abort());
  expect([log.told, shelf.models()]).toEqual([[], []]);
});

it('the shelf tells since when, finds by id and cid, and takes models off', async () => {
  let now = 1_700_000_000_999;
  const shelf = new Shelf(() => now);
  shelf.add(model);
  now += 60_000;
  // The same model once more is not a new one.
  shelf.add(model);
  expect(shelf.list()).toEqual([expect.objectContaining({ id: 'qwen2', created: 1_700_000_000 })]);
  expect(shelf.find('qwen2')).toBe(shelf.find(model.cid));
  expect(shelf.find('absent')).toBeNull();
  const changed = { ...model, cid: 'f'.repeat(64) };
  expect(shelf.replace(changed)).toEqual([model.cid]);
  expect(shelf.models()).toEqual([{ ...changed, created: 1_700_000_060 }]);
  expect([shelf.remove(changed.cid), shelf.remove(changed.cid), shelf.list()]).toEqual([true, false, []]);
});
