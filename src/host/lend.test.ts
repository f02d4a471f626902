import { describe, expect, test } from 'vitest';
import { EngineError } from '../engine/index.ts';
import type { Directory, LinkPath } from '../swarm/index.ts';
import { createHost } from './index.ts';
import { EngineDiary } from './testing/arithmetic-engine.ts';
import { CID, type Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { LAYERS, rowsFrom, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const RANGE = { start: 4, end: LAYERS };
const MODEL = { cid: CID, layers: LAYERS };

describe('lending', () => {
  test('is found in the directory and says in a hello what it holds', async () => {
    const world = new World();
    const { host } = await world.host(TAIL);
    const found = await world.network.directory('x').holders(MODEL, RANGE);
    expect(found.map(({ peer }) => peer)).toEqual(['tail']);
    const hello = await world.client().hello('tail');
    expect(hello).toMatchObject({ nonce: 7, proto_ver: 1, agent: 'test/1' });
    expect(hello.ask).toBeUndefined();
    expect(hello.offers).toEqual([
      expect.objectContaining({
        ...RANGE,
        cid: CID,
        embed: false,
        head: true,
        loaded: [{ ...RANGE, embed: false, head: false }],
        arithmetic: 'exact',
        precision: 'float32',
        backend: 'node-cpu',
        max_tokens: 1024,
        decode_ms: 2,
        prefill_ms: 1,
        draining: false,
      }),
    ]);
    expect(host.status().slices[0]).toMatchObject({ state: 'announcing', announced: true });
  });

  test('tells of its links only who asks for them: the fastest, as many as a message takes', async () => {
    const world = new World();
    const { transport } = await world.host(TAIL);
    const link = (peer: string, path: LinkPath, roundTripMs: number | null) => ({
      peer,
      path,
      roundTripMs,
      bytesIn: 5,
      bytesOut: 6,
    });
    const links = [
      link('unmeasured', 'websocket', null),
      link('tail', 'local', 0),
      link('gone', 'none', 1),
      ...Array.from({ length: 70 }, (_, i) => link(`peer${i}`, i % 2 ? 'relayed' : 'direct', 70 - i)),
    ];
    transport.links = () => links;
    const client = world.client();
    expect(await client.hello('tail')).not.toHaveProperty('links');
    const told = (await client.hello('tail', { want_links: true })).links!;
    expect(told.length).toBe(64);
    expect(told[0]).toEqual({ peer: 'peer69', path: 'relayed', round_trip_ms: 1 });
    expect(told.map(({ round_trip_ms }) => round_trip_ms)).toEqual(
      Array.from({ length: 64 }, (_, i) => i + 1),
    );
    links.splice(10);
    const few = (await client.hello('tail', { want_links: true })).links!;
    expect(few.length).toBe(8);
    expect(few.at(-1)).toEqual({ peer: 'unmeasured', path: 'websocket', round_trip_ms: null });
  });

  test('what it refuses names the layers as people count them', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    const again = host.lend(world.slice(diary, 4, LAYERS));
    await expect(again).rejects.toThrow('lends layers 4 to 11 already');
    await expect(host.drain(CID, { start: 3, end: 4 })).rejects.toThrow('does not lend layer 3 of');
  });

  test('is announced again and again, and soon after a failure', async () => {
    const world = new World();
    const transport = world.network.join('tail');
    let broken = true;
    const times: number[] = [];
    const directory: Directory = {
      announce: async () => {
        times.push(world.clock.now());
        if (broken) throw new Error('no relay');
      },
      withdraw: async () => undefined,
      holders: async () => [],
    };
    const host = createHost({ transport, directory, clock: world.clock, agent: 'x' });
    let lent = false;
    const lending = host.lend(world.slice(new EngineDiary(), 4, LAYERS)).then(() => {
      lent = true;
    });
    await world.clock.advance(15_000);
    expect(lent).toBe(false);
    broken = false;
    await world.clock.advance(5_000);
    await lending;
    await world.clock.advance(600_000);
    expect(times).toEqual([0, 10_000, 20_000, 320_000, 620_000]);
    await host.close('test');
    expect(world.clock.pending).toBe(0);
  });

  test('stops at any time by its signal, and leaves no engine', async () => {
    const world = new World();
    const diary = new EngineDiary();
    const { host } = world.join('tail');
    const stop = new AbortController();
    const slice = world.slice(diary, 4, LAYERS);
    const lending = host.lend(
      {
        ...slice,
        load: async (part, options) => {
          stop.abort();
          return slice.load(part, options);
        },
      },
      { signal: stop.signal },
    );
    await expect(lending).rejects.toMatchObject({ name: 'HostError', code: 'aborted' });
    await settled();
    expect(diary.engines.every(({ disposed }) => disposed)).toBe(true);
    expect(host.status().slices).toEqual([]);
    await host.lend(slice);
  });

  test.each([
    ['layers that the model does not have', { end: LAYERS + 1 }],
    ['a main part outside the slice', { main: { start: 0, end: 6, embed: false, head: false } }],
    ['a budget below its weights', { memoryBudget: 10 }],
  ])('%s: refused', async (_name, wrong) => {
    const world = new World();
    const { host, diary } = world.join('tail');
    await expect(host.lend(world.slice(diary, 4, LAYERS, wrong))).rejects.toMatchObject({
      code: 'bad-slice',
    });
    expect(diary.engines.every(({ disposed }) => disposed)).toBe(true);
  });

  test('the same slice is not lent twice', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    await expect(host.lend(world.slice(diary, 4, LAYERS))).rejects.toMatchObject({ code: 'already-lent' });
  });

  test('a peer that cannot sample does not offer the head', async () => {
    const world = new World();
    const transport = world.network.join('plain');
    const directory = world.network.directory('plain');
    const host = createHost({ transport, directory, clock: world.clock, agent: 'x' });
    await host.lend(world.slice(new EngineDiary(), 4, LAYERS));
    const client = world.client();
    expect((await client.hello('plain')).offers![0]!.head).toBe(false);
    await client.init({ ...TAIL, peer: 'plain' }, 'client', 'client', { head: true });
    expect(await client.take('abort_session')).toMatchObject({ code: 'no-slice' });
  });
});

describe('draining', () => {
  test('takes no one new, lets a running turn finish, then gives everything back', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    const client = world.client();
    await client.open([TAIL]);
    const drained = host.drain(CID, RANGE);
    await settled();
    expect(host.status().slices[0]).toMatchObject({ state: 'draining', announced: false });
    expect(await world.network.directory('x').holders(MODEL, RANGE)).toEqual([]);
    const late = world.client('late', 'cd'.repeat(32));
    await late.init(TAIL, 'late', 'late');
    expect(await late.take('abort_session')).toMatchObject({ code: 'refused-draining' });
    for (let step = 0; step < 10; step++) {
      await world.clock.advance(3000);
      await client.rows('tail', step, rowsFrom(step, 1));
      expect((await client.answer()).position).toBe(step);
    }
    await client.abort('tail');
    await drained;
    expect(diary).toMatchObject({ opened: 1, closed: 1 });
    expect(diary.engines.every(({ disposed }) => disposed)).toBe(true);
    expect(host.status()).toMatchObject({ slices: [], sessions: 0 });
    await settled();
    expect(world.clock.pending).toBe(0);
  });

  test('ends a session that is between two turns after five quiet seconds', async () => {
    const world = new World();
    const { host } = await world.host(TAIL);
    const client = world.client();
    await client.open([TAIL]);
    const drained = host.drain(CID, RANGE);
    await world.clock.advance(4900);
    expect(client.left('abort_session')).toEqual([]);
    await world.clock.advance(600);
    expect(await client.take('abort_session')).toMatchObject({ code: 'stopped' });
    await drained;
  });

  test('ends what still runs at the limit, or at once by its signal', async () => {
    for (const forced of [false, true]) {
      const world = new World();
      const { host, diary } = await world.host(TAIL, { limits: { drainMs: 20_000 } });
      diary.engines[0]!.gate = new Promise(() => undefined);
      const client = world.client();
      await client.open([TAIL]);
      await client.rows('tail', 0, rowsFrom(1, 9));
      await settled();
      const stop = new AbortController();
      const drained = host.drain(CID, RANGE, { signal: stop.signal });
      await world.clock.advance(19_000);
      expect(host.status().sessions).toBe(1);
      if (forced) stop.abort();
      else await world.clock.advance(2000);
      expect(await client.take('abort_session')).toMatchObject({ code: 'stopped' });
      await drained;
      expect(diary).toMatchObject({ opened: 1, closed: 1 });
    }
  });

  test('of what is not lent is an error that says so', async () => {
    const { host } = new World().join('tail');
    await expect(host.drain(CID, RANGE)).rejects.toMatchObject({ code: 'no-slice' });
  });
});

describe('the end of a host', () => {
  test('is told to every client, and nothing is left', async () => {
    const world = new World();
    const { host, diary, transport } = await world.host(TAIL);
    const clients = [1, 2].map((n) => world.client(`client${n}`, `${n}`.repeat(64)));
    for (const client of clients) await client.open([TAIL]);
    const states: (string | undefined)[] = [];
    host.subscribe(({ slices }) => states.push(slices[0]?.state));
    await host.close('The tab is closed.');
    for (const client of clients)
      expect(await client.take('abort_session')).toMatchObject({
        code: 'stopped',
        reason: 'The tab is closed.',
      });
    expect(diary).toMatchObject({ opened: 2, closed: 2 });
    expect(diary.engines.every(({ disposed }) => disposed)).toBe(true);
    expect(await world.network.directory('x').holders(MODEL, RANGE)).toEqual([]);
    expect(world.clock.pending).toBe(0);
    expect(states.at(-1)).toBeUndefined();
    const before = transport.sent.length;
    await clients[0]!.init(TAIL, 'client1', 'client1');
    await settled();
    expect(transport.sent.length).toBe(before);
    await expect(host.lend(world.slice(diary, 4, LAYERS))).rejects.toMatchObject({ code: 'closed' });
  });

  test('an engine that is lost takes its slice back, and the clients go elsewhere', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    const client = world.client();
    await client.open([TAIL]);
    diary.engines[0]!.failure = new EngineError('lost', 'the GPU was lost');
    await client.rows('tail', 0, rowsFrom(1, 1));
    expect(await client.take('abort_session')).toMatchObject({ code: 'stopped', reason: 'the GPU was lost' });
    await settled();
    expect(host.status().slices).toEqual([]);
    expect(await world.network.directory('x').holders(MODEL, RANGE)).toEqual([]);
  });

  test('a peer that asks without end and never reads does not fill the memory', async () => {
    const world = new World();
    const { transport, host } = await world.host(TAIL);
    let held = 0;
    transport.send = (_to, _frame, options) => {
      held++;
      return new Promise((_, reject) =>
        options?.signal?.addEventListener('abort', () => reject(new Error('late'))),
      );
    };
    const rude = world.client('rude');
    for (let i = 0; i < 1000; i++)
      await rude.send('tail', {
        kind: 'hello',
        peer_id: rude.transport.publicKey,
        proto_ver: 1,
        supported_quants: [],
        ask: true,
      });
    await settled();
    expect(held).toBe(256);
    await world.clock.advance(5000);
    await host.close('test');
    expect(world.clock.pending).toBe(0);
  });
});
