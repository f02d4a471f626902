import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EngineError, type LoadOptions } from '../../src/engine/index.ts';
import { ArithmeticEngine, EngineDiary, WIDTH } from '../../src/host/testing/arithmetic-engine.ts';
import { HandClient } from '../../src/host/testing/hand-client.ts';
import { ManualClock, settled } from '../../src/host/testing/manual-clock.ts';
import { MemoryNetwork } from '../../src/swarm/testing/memory.ts';
import type { RelayConfig } from '../config/types.ts';
import { prepareModel } from '../library.ts';
import type { ServedModel } from '../shelf.ts';
import type { Meters } from '../watch/types.ts';
import type { CudaReport } from './cuda.ts';
import { Hosting, type HostingOptions } from './hosting.ts';
import { RecordedLog } from './testing/recorded-log.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const CONFIG: RelayConfig['hosting'] = {
  layers: 'auto',
  memory: 1e8,
  devices: ['cpu'],
  threads: null,
  sessions: 8,
};

let data: string;
let model: ServedModel;
let other: ServedModel;
let network: MemoryNetwork;
let clock: ManualClock;
let diary: EngineDiary;
let loads: LoadOptions[];
let log: RecordedLog;
let counted: string[];
let running: Hosting[];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-hosting-'));
  model = await prepareModel(fixture('llama3-scaled-rope'), data);
  other = await prepareModel(fixture('qwen2'), data);
});

afterAll(() => rm(data, { recursive: true }));

beforeEach(() => {
  network = new MemoryNetwork();
  clock = new ManualClock();
  diary = new EngineDiary();
  loads = [];
  log = new RecordedLog();
  counted = [];
  running = [];
});

afterEach(() => Promise.all(running.map((hosting) => hosting.close('the test is over'))));

const meters: Meters = {
  count: (name, labels) => void counted.push(`${name} ${Object.values(labels).join(' ')}`),
  observe: () => undefined,
};

function start(
  config: Partial<HostingOptions['config']> = {},
  options: Partial<HostingOptions> = {},
  peer = 'relay',
): Hosting {
  const hosting = new Hosting({
    config: { ...CONFIG, ...config },
    log,
    meters,
    loadEngine: async (load) => {
      loads.push(load);
      return new ArithmeticEngine(load.slice, diary, 64);
    },
    random: () => 0,
    ...options,
  });
  hosting.start({ transport: network.join(peer), directory: network.directory(peer), clock });
  running.push(hosting);
  return hosting;
}

/** The parts that were loaded, in order. */
const parts = () => loads.map(({ slice, device }) => [device ?? 'cpu', slice.start, slice.end]);
const offersTo = async (name: string, host = 'relay') =>
  (await new HandClient(network.join(name)).hello(host)).offers ?? [];

describe('what is lent', () => {
  it('is every layer where it fits, those behind the front loaded first, at exact arithmetic', async () => {
    const hosting = start();
    hosting.add(model);
    await log.heard('Lending');
    expect(log.told).toEqual([
      `Lending layers 0 to 3 of ${model.name} to the network: room for 8 conversations of 64 tokens.`,
    ]);
    expect(loads).toEqual([
      expect.objectContaining({
        slice: { start: 2, end: 4, embed: false, head: false },
        weights: { kind: 'files', files: model.files.map(({ path }) => path) },
        backends: ['node-cpu'],
        arithmetic: 'exact',
        precision: 'float32',
        spin: false,
        measure: true,
        memoryLimit: 1e8,
      }),
    ]);
    expect(loads[0]).not.toHaveProperty('threads');
    expect(hosting.health()).toMatchObject({
      state: 'lending',
      models: [{ model: model.cid, state: 'lending' }],
      slices: [{ start: 0, end: 4, announced: true }],
      devices: [{ name: 'cpu', total: 1e8 }],
    });
    // Estimate, engine and process: for whoever wonders where the memory goes.
    expect(log.lines.find(({ level }) => level === 'debug')?.fields).toMatchObject({
      weights: 2000,
      estimated: expect.any(Number),
      rss: expect.any(Number),
    });
  });

  it('is the range that was asked for, cut at the front where it lies across', async () => {
    const mains: unknown[] = [];
    for (const [begin, end] of [
      [1, 3],
      [0, 2],
      [3, 4],
    ] as const) {
      const peer = `relay${begin}`;
      start({ layers: { start: begin, end }, threads: 3 }, {}, peer).add(model);
      await log.heard('Lending', mains.length + 1);
      mains.push([loads.at(-1)?.slice.start, loads.at(-1)?.slice.end, loads.at(-1)?.threads]);
    }
    expect(mains).toEqual([
      [2, 3, 3],
      [0, 2, 3],
      [3, 4, 3],
    ]);
  });

  it('is several models, in the order in which they came, each with its record', async () => {
    const hosting = start();
    hosting.add(model);
    hosting.add(other);
    await log.heard(`of ${other.name}`);
    expect(hosting.health().models).toEqual([
      { model: model.cid, state: 'lending' },
      { model: other.cid, state: 'lending' },
    ]);
    expect((await offersTo('client')).map(({ cid }) => cid)).toEqual([model.cid, other.cid]);
    const range = { start: 0, end: 4 };
    for (const { cid } of [model, other])
      expect(await network.directory('client').holders({ cid, layers: 4 }, range)).toHaveLength(1);
  });

  it('is nothing by --layers none, and whoever asks is told so', async () => {
    const hosting = start({ layers: 'none' });
    hosting.add(model);
    await settled();
    expect([hosting.health().state, loads, log.told]).toEqual(['off', [], []]);
    expect(await offersTo('client')).toEqual([]);
  });

  it('waits for the network, and answers before any model is there', async () => {
    const hosting = new Hosting({ config: CONFIG, log });
    hosting.add(model);
    expect([hosting.host, hosting.health().state]).toEqual([null, 'waiting']);
    running.push(start());
    expect(await offersTo('client')).toEqual([]);
    await hosting.close('never joined');
  });

  it('is a part where the whole does not fit: the layers that fewest hold', async () => {
    // Room for one layer and four conversations on it. Clients run the first two themselves.
    const held = { cid: model.cid, layers: 4, start: 2, end: 3 };
    await network.directory('tab').announce(held);
    const hosting = start({ memory: 3e6 });
    hosting.add(model);
    await log.heard('Lending');
    expect(hosting.health().slices).toEqual([expect.objectContaining({ start: 3, end: 4 })]);
    await hosting.remove(model.cid);
    await network.directory('tab').withdraw(held);
    await network.directory('tab').announce({ ...held, start: 3, end: 4 });
    hosting.add(model);
    await log.heard('Lending', 2);
    expect(hosting.health().slices).toEqual([expect.objectContaining({ start: 2, end: 3 })]);
  });

  it('says how much is missing where all was asked for', async () => {
    const hosting = start({ layers: 'all', memory: 300_000 });
    hosting.add(model);
    hosting.add(other);
    await log.heard('too little', 2);
    expect(log.told[0]).toMatch(
      /^No layers of .* are lent.*serves on\. Layers 0 to 3 .* take [\d.]+ [kM]B, and one conversation .*: 300 kB are left, [\d.]+ [kM]B too little\. .*--layers.*--memory/,
    );
    expect([hosting.health().state, loads]).toEqual(['failed', []]);
    expect(counted).toEqual(Array(2).fill('shoal_errors_total hosting no-memory'));
  });

  it('is a mistake of the operator when the model does not have it, and the next model is lent', async () => {
    const hosting = start({ layers: { start: 2, end: 5 } });
    hosting.add(model);
    await log.heard('has layers 0-4');
    expect(hosting.health()).toMatchObject({ state: 'failed', slices: [] });
  });

  it('is what the operator says of arithmetic and precision, and offered as that', async () => {
    start({ precision: 'float16', arithmetic: 'fast' }).add(model);
    await log.heard('Lending');
    expect(loads[0]).toMatchObject({ precision: 'float16', arithmetic: 'fast' });
  });
});

describe('several GPUs', () => {
  const report: CudaReport = {
    usable: true,
    device: 'cuda:0',
    devices: ['cuda:0', 'cuda:1'].map((id) => ({
      id,
      name: 'Test',
      memoryBytes: 2e9,
      freeBytes: 1e9,
      proven: true,
    })),
    problems: [],
  };

  it('share the layers, each with an engine of its own', async () => {
    const hosting = start({ devices: ['auto'] }, { inspect: async () => report });
    hosting.add(model);
    await log.heard('Lending', 2);
    expect(parts().sort()).toEqual([
      ['cuda:0', 0, 2],
      ['cuda:1', 2, 4],
    ]);
    expect(loads.every(({ backends }) => backends?.join() === 'node-cuda')).toBe(true);
    expect(hosting.health().slices.map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 4],
    ]);
    // One dies: the other serves on.
    const dead = diary.engines.find(({ part }) => part.start === 2)!;
    dead.failure = new EngineError('lost', 'the GPU fell off the bus');
    const client = new HandClient(network.join('client'));
    await client.open([{ peer: 'relay', start: 2, end: 4 }], { model_cid: model.cid, max_seq: 32 });
    await client.rows('relay', 0, new Float32Array(WIDTH));
    await log.heard('half a minute');
    expect(hosting.health()).toMatchObject({ state: 'lending', slices: [{ start: 0, end: 2 }] });
    await clock.advance(30_000);
    await log.heard('Lending layers 2 to 3', 2);
    expect(hosting.health().slices).toHaveLength(2);
  });

  it('that cannot be used leave the CPU, and the log says why', async () => {
    const problems = [{ what: 'the provider is not installed', todo: 'run this' }];
    const broken = { ...report, usable: false, device: null, problems };
    broken.devices = report.devices.map((device) => ({ ...device, proven: false }));
    start({ devices: ['auto'] }, { inspect: async () => broken }).add(model);
    await log.heard('Lending');
    expect(log.told[0]).toBe(
      'The GPU is not used, layers run on the CPU: the provider is not installed; run this.',
    );
    expect(loads[0]?.backends).toEqual(['node-cpu']);
  });

  it('that were asked for by name and are not there are no reason to take the CPU', async () => {
    const hosting = start({ devices: ['cuda:3'] }, { inspect: async () => report });
    hosting.add(model);
    await log.heard('usable here: cuda:0, cuda:1');
    expect([hosting.health().state, loads]).toEqual(['failed', []]);
  });
});

describe('a relay that cannot lend', () => {
  it('says why, what to do, and goes on with the next model', async () => {
    let attempts = 0;
    const hosting = start(
      {},
      {
        loadEngine: async (load) => {
          if (attempts++ === 0)
            throw new EngineError('out-of-memory', 'these layers take 401 MB and the limit is 300 MB');
          return new ArithmeticEngine(load.slice, diary, 64);
        },
      },
    );
    hosting.add(model);
    hosting.add(other);
    await log.heard('Lending');
    expect(log.told[0]).toMatch(/serves on\. these layers take 401 MB.*--layers.*--memory/);
    expect(hosting.health()).toMatchObject({
      state: 'lending',
      models: [{ state: 'failed' }, { state: 'lending' }],
    });
    // What the failed one would have taken is free.
    expect(hosting.health().devices[0]!.held).toBeLessThan(1e7);
  });

  it('loads its layers again when their engine failed, after waits that grow', async () => {
    const hosting = start();
    hosting.add(model);
    await log.heard('Lending');
    const hop = { peer: 'relay', start: 2, end: 4 };
    const kill = async (round: number) => {
      const client = new HandClient(network.join(`client${round}`));
      await client.open([hop], { model_cid: model.cid, max_seq: 32 });
      diary.engines.at(-1)!.failure = new EngineError('lost', 'the worker ended');
      await client.rows('relay', 0, new Float32Array(WIDTH));
      await client.take('abort_session');
    };
    for (const [round, [words, ms]] of (
      [
        ['half a minute', 30_000],
        ['a minute', 60_000],
        ['2 minutes', 120_000],
      ] as const
    ).entries()) {
      await kill(round);
      await log.heard(`again in ${words}`);
      expect(hosting.health().state).toBe('waiting');
      await clock.advance(ms - 1);
      expect(loads).toHaveLength(round + 1);
      await clock.advance(1);
      await log.heard('Lending', round + 2);
    }
    expect(counted).toEqual(Array(3).fill('shoal_errors_total hosting lost'));
    // It lasted: the next failure is a new one.
    await clock.advance(600_001);
    await kill(9);
    await log.heard('again in half a minute', 2);
  });
});

describe('layers for the relay’s own chains', () => {
  const signal = () => AbortSignal.timeout(20_000);

  it('are loaded where nothing is lent, and served to nobody else', async () => {
    const hosting = start({ layers: 'none' });
    hosting.add(model);
    expect(await hosting.ensure(model.cid, { start: 1, end: 4 }, signal())).toBe(true);
    expect(parts()).toEqual([['cpu', 1, 4]]);
    expect(await offersTo('client')).toEqual([]);
    expect(hosting.health()).toMatchObject({ state: 'off', slices: [] });
    // Asked for again, also by two at once, they are there.
    const again = [1, 2].map((start) => hosting.ensure(model.cid, { start, end: 4 }, signal()));
    expect(await Promise.all(again)).toEqual([true, true]);
    expect(loads).toHaveLength(1);
  });

  it('are only those that are not lent anyway, and wait for what is being loaded', async () => {
    const hosting = start({ layers: { start: 2, end: 4 } });
    hosting.add(model);
    expect(await hosting.ensure(model.cid, { start: 0, end: 4 }, signal())).toBe(true);
    expect(parts()).toEqual([
      ['cpu', 2, 4],
      ['cpu', 0, 2],
    ]);
    expect((await offersTo('client')).map(({ start, end }) => [start, end])).toEqual([[2, 4]]);
  });

  it('that no memory is there for are refused, unless others that nobody uses can go', async () => {
    const hosting = start({ layers: 'none', memory: 1_900_000 });
    hosting.add(model);
    hosting.add(other);
    expect(await hosting.ensure(model.cid, { start: 0, end: 2 }, signal())).toBe(true);
    // The other model's take the place of the first's.
    expect(await hosting.ensure(other.cid, { start: 0, end: 2 }, signal())).toBe(true);
    expect(hosting.host!.status().slices.map(({ cid }) => cid)).toEqual([other.cid]);
    expect(await hosting.ensure(model.cid, { start: 0, end: 4 }, signal())).toBe(false);
    expect(log.told.at(-1)).toMatch(/cannot run layers 0 to 3 .* are left on cpu\. Allow more with --memory/);
  });

  it('are loaded anew when their engine died', async () => {
    const hosting = start({ layers: 'none' });
    hosting.add(model);
    const range = { start: 2, end: 4 };
    await hosting.ensure(model.cid, range, signal());
    const held = () => hosting.health().devices[0]!.held;
    expect(held()).toBeGreaterThan(0);
    await hosting.host!.drain(model.cid, range, { signal: AbortSignal.abort() });
    expect(held()).toBe(0);
    expect(await hosting.ensure(model.cid, range, signal())).toBe(true);
    expect(loads).toHaveLength(2);
  });

  it('cannot be had of a model or of layers that are not here, nor after a stop', async () => {
    const hosting = start({ layers: 'none' });
    hosting.add(model);
    expect(await hosting.ensure('f'.repeat(64), { start: 0, end: 2 }, signal())).toBe(false);
    expect(await hosting.ensure(model.cid, { start: 2, end: 5 }, signal())).toBe(false);
    expect(await hosting.ensure(model.cid, { start: 2, end: 2 }, signal())).toBe(false);
    expect(await hosting.ensure(model.cid, { start: 2, end: 4 }, AbortSignal.abort())).toBe(false);
    await hosting.drain(AbortSignal.abort());
    expect(await hosting.ensure(model.cid, { start: 2, end: 4 }, signal())).toBe(false);
  });
});

describe('an end in good order', () => {
  it('withdraws every record, takes nothing new, and loads nothing again', async () => {
    const hosting = start();
    hosting.add(model);
    hosting.add(other);
    await log.heard(`of ${other.name}`);
    const client = new HandClient(network.join('client'));
    await client.open([{ peer: 'relay', start: 2, end: 4 }], { model_cid: model.cid, max_seq: 32 });
    const stop = new AbortController();
    const drained = hosting.drain(stop.signal);
    await settled();
    const offers = await offersTo('another');
    expect(offers.map(({ cid, draining }) => [cid, draining])).toEqual([[model.cid, true]]);
    stop.abort();
    await drained;
    expect(hosting.health()).toMatchObject({ slices: [], sessions: 0 });
    await clock.advance(3_600_000);
    expect(loads).toHaveLength(2);
  });

  it('of one model leaves the others', async () => {
    const hosting = start();
    hosting.add(model);
    hosting.add(other);
    await log.heard(`of ${other.name}`);
    const { held } = hosting.health().devices[0]!;
    await hosting.remove(model.cid);
    expect(hosting.health().slices.map((slice) => slice.model)).toEqual([other.cid]);
    expect(hosting.health().devices[0]!.held).toBeLessThan(held);
    // It may come back, as another file of the same name.
    hosting.add(model);
    await log.heard('Lending', 3);
    expect(hosting.health().slices).toHaveLength(2);
  });
});
