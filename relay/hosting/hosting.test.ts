import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EngineError, type LoadOptions } from '../../src/engine/index.ts';
import { ArithmeticEngine, EngineDiary, WIDTH } from '../../src/host/testing/arithmetic-engine.ts';
import { HandClient } from '../../src/host/testing/hand-client.ts';
import { ManualClock } from '../../src/host/testing/manual-clock.ts';
import { MemoryNetwork } from '../../src/swarm/testing/memory.ts';
import { prepareModel } from '../library.ts';
import type { ServedModel } from '../shelf.ts';
import { Hosting, type HostingOptions } from './hosting.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/llama3-scaled-rope', import.meta.url));
let data: string;
let model: ServedModel;
let network: MemoryNetwork;
let clock: ManualClock;
let stop: AbortController;
let diary: EngineDiary;
let loads: LoadOptions[];
let lines: string[];
/** Told at each line of the log. */
let onLine: () => void;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-hosting-'));
  model = await prepareModel(FIXTURE, data);
});

afterAll(() => rm(data, { recursive: true }));

beforeEach(() => {
  network = new MemoryNetwork();
  clock = new ManualClock();
  stop = new AbortController();
  diary = new EngineDiary();
  loads = [];
  lines = [];
  onLine = () => {};
});

function start(options: Partial<HostingOptions>) {
  const hosting = new Hosting({
    layers: 'all',
    memory: 1e6,
    loadEngine: async (load) => {
      loads.push(load);
      return new ArithmeticEngine(load.slice, diary, 64);
    },
    log: (line) => {
      lines.push(line);
      onLine();
    },
    ...options,
  });
  const swarm = { transport: network.join('relay'), directory: network.directory('relay'), clock };
  return { hosting, done: hosting.run(model, swarm, stop.signal) };
}

/** Resolves when the log has as many lines. */
const logged = (count: number) =>
  new Promise<void>((resolve) => {
    onLine = () => {
      if (lines.length >= count) resolve();
    };
    onLine();
  });

describe('what is lent', () => {
  it('is every layer by default, those behind the front loaded first, at exact arithmetic', async () => {
    const { hosting, done } = start({});
    await logged(1);
    expect(lines).toEqual([
      `Lending layers 0 to 3 of ${model.name} to the network: room for 64 conversations of 64 tokens.`,
    ]);
    expect(loads).toEqual([
      expect.objectContaining({
        slice: { start: 2, end: 4, embed: false, head: false },
        weights: { kind: 'files', files: model.files.map(({ path }) => path) },
        arithmetic: 'exact',
        precision: 'float32',
        measure: true,
        memoryLimit: 1e6,
      }),
    ]);
    expect(hosting.health()).toMatchObject({ state: 'lending', slices: [{ start: 0, end: 4 }] });
    stop.abort();
    await done;
  });

  it('is the range that was asked for, cut at the front where it lies across', async () => {
    const mains: unknown[] = [];
    for (const [start_, end] of [
      [1, 3],
      [0, 2],
      [3, 4],
    ] as const) {
      network = new MemoryNetwork();
      stop = new AbortController();
      lines = [];
      const { done } = start({ layers: { start: start_, end } });
      await logged(1);
      mains.push([loads.at(-1)?.slice.start, loads.at(-1)?.slice.end]);
      stop.abort();
      await done;
    }
    expect(mains).toEqual([
      [2, 3],
      [0, 2],
      [3, 4],
    ]);
  });

  it('is nothing by --layers none, and whoever asks is told so', async () => {
    const { hosting, done } = start({ layers: 'none' });
    await done;
    expect([hosting.health().state, loads, lines]).toEqual(['off', [], []]);
    const client = new HandClient(network.join('client'));
    expect((await client.hello('relay')).offers).toEqual([]);
  });

  it('is a mistake of the operator when the model does not have it', async () => {
    await expect(start({ layers: { start: 2, end: 5 } }).done).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('has layers 0-4'),
    });
  });
});

describe('a relay that cannot lend', () => {
  it('says why, what to do, and goes on', async () => {
    const loadEngine = async () => {
      throw new EngineError('out-of-memory', 'these layers take 401 MB and the limit is 300 MB');
    };
    const { hosting, done } = start({ loadEngine });
    await done;
    expect(hosting.health()).toMatchObject({ state: 'failed', slices: [] });
    expect(lines).toEqual([
      expect.stringMatching(/serves on\. these layers take 401 MB.*--layers.*--memory/),
    ]);
  });

  it('loads its layers again half a minute after their engine failed', async () => {
    const { hosting, done } = start({});
    await logged(1);
    const client = new HandClient(network.join('client'));
    const hop = { peer: 'relay', start: 2, end: 4 };
    await client.open([hop], { model_cid: model.cid, max_seq: 32 });
    diary.engines[0]!.failure = new EngineError('lost', 'the worker ended');
    await client.rows('relay', 0, new Float32Array(WIDTH));
    await client.take('abort_session');
    await logged(2);
    expect([lines[1], hosting.health().state]).toEqual([expect.stringContaining('half a minute'), 'waiting']);
    await clock.advance(29_999);
    expect(loads).toHaveLength(1);
    await clock.advance(1);
    await logged(3);
    expect([lines[2], hosting.health().state, loads.length]).toEqual([lines[0], 'lending', 2]);
    stop.abort();
    await done;
  });
});
