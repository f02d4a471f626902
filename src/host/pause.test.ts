import { describe, expect, test } from 'vitest';
import type { Directory } from '../swarm/index.ts';
import { createHost } from './index.ts';
import { EngineDiary } from './testing/arithmetic-engine.ts';
import { CID, type Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { alone, LAYERS, rowsFrom, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const RANGE = { start: 4, end: LAYERS };
const PART = { ...RANGE, embed: false, head: false };
const MODEL = { cid: CID, layers: LAYERS };
const id = (number: number) => number.toString(16).padStart(64, '0');

describe('a pause', () => {
  test('refuses newcomers and is not found, finishes what runs, and keeps the engine', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    const running = world.client('running', id(1));
    await running.open([TAIL]);
    const whole = alone(PART);
    await running.rows('tail', 0, rowsFrom(1, 3));
    expect((await running.answer()).values).toEqual((await whole(rowsFrom(1, 3))).slice(-4));

    await host.pause(CID, RANGE);
    expect(host.status().slices[0]).toMatchObject({ state: 'paused', announced: false });
    expect(await world.network.directory('x').holders(MODEL, RANGE)).toEqual([]);
    expect((await running.hello('tail')).offers![0]!.draining).toBe(true);
    const newcomer = world.client('newcomer', id(2));
    await newcomer.init(TAIL, 'newcomer', 'newcomer');
    expect(await newcomer.take('abort_session')).toMatchObject({ code: 'refused-draining' });

    // Every two seconds a token: it runs.
    for (let step = 0; step < 5; step++) {
      await world.clock.advance(2000);
      await running.rows('tail', 3 + step, rowsFrom(step, 1));
      expect((await running.answer()).values).toEqual(await whole(rowsFrom(step, 1)));
    }
    // Between two turns it is over.
    await world.clock.advance(6000);
    expect(await running.take('abort_session')).toMatchObject({ code: 'stopped' });
    expect(host.status().sessions).toBe(0);
    expect(diary.engines.map(({ disposed }) => disposed)).toEqual([false]);

    host.resume(CID, RANGE);
    await settled();
    expect(host.status().slices[0]).toMatchObject({ state: 'announcing', announced: true });
    await newcomer.open([TAIL]);
    await newcomer.rows('tail', 0, rowsFrom(9, 2));
    expect((await newcomer.answer()).values).toEqual((await alone(PART)(rowsFrom(9, 2))).slice(-4));
    expect(diary.engines.length).toBe(1);
  });

  test('a resume in time leaves the conversations that are open alone', async () => {
    const world = new World();
    const { host } = await world.host(TAIL);
    const client = world.client();
    await client.open([TAIL]);
    await host.pause(CID, RANGE);
    await world.clock.advance(4000);
    host.resume(CID, RANGE);
    await world.clock.advance(60_000);
    expect(host.status().sessions).toBe(1);
    expect(client.left('abort_session')).toEqual([]);
  });

  test('a session that never ends is ended after the limit of a drain', async () => {
    const world = new World();
    const { host } = await world.host(TAIL, { limits: { drainMs: 20_000 } });
    const client = world.client();
    await client.open([TAIL]);
    await host.pause(CID, RANGE);
    for (let at = 0; at < 11; at++) {
      await client.rows('tail', at, rowsFrom(at, 1));
      await world.clock.advance(2000);
    }
    expect(client.left('abort_session')).toHaveLength(1);
    expect(host.status().sessions).toBe(0);
  });

  test('pause and resume in any haste end in one record, and one that is asked for again each five minutes', async () => {
    const world = new World();
    const transport = world.network.join('tail');
    const calls: string[] = [];
    let record = false;
    const slowly = (name: string, value: boolean) =>
      new Promise<void>((resolve) => {
        world.clock.after(1000, () => {
          calls.push(name);
          record = value;
          resolve();
        });
      });
    const directory: Directory = {
      announce: () => slowly('announce', true),
      withdraw: () => slowly('withdraw', false),
      holders: async () => [],
    };
    const host = createHost({ transport, directory, clock: world.clock, agent: 'x' });
    const lending = host.lend(world.slice(new EngineDiary(), 4, LAYERS));
    await settled();
    // Before it is published for the first time.
    const paused = host.pause(CID, RANGE);
    host.resume(CID, RANGE);
    await world.clock.advance(10_000);
    await Promise.all([lending, paused]);
    expect([record, host.status().slices[0]!.announced]).toEqual([true, true]);
    expect(calls.at(-1)).toBe('announce');
    for (let round = 0; round < 3; round++) {
      void host.pause(CID, RANGE);
      host.resume(CID, RANGE);
      void host.pause(CID, RANGE);
      await world.clock.advance(500);
      host.resume(CID, RANGE);
    }
    await world.clock.advance(20_000);
    expect([record, host.status().slices[0]!.announced]).toEqual([true, true]);
    calls.length = 0;
    await world.clock.advance(600_000);
    expect(calls).toEqual(['announce', 'announce']);
    void host.pause(CID, RANGE);
    await world.clock.advance(3000);
    expect([record, host.status().slices[0]!.announced]).toEqual([false, false]);
    calls.length = 0;
    await world.clock.advance(600_000);
    expect(calls).toEqual([]);
    const closed = host.close('test');
    await world.clock.advance(5000);
    await closed;
    expect(world.clock.pending).toBe(0);
  });

  test('a paused slice can leave, also when its engine is lost, and what is not lent cannot pause', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL);
    await host.pause(CID, RANGE);
    await host.pause(CID, RANGE);
    await host.drain(CID, RANGE);
    expect(diary.engines[0]!.disposed).toBe(true);
    expect(host.status().slices).toEqual([]);
    await expect(host.pause(CID, RANGE)).rejects.toMatchObject({ code: 'no-slice' });
    expect(() => host.resume(CID, RANGE)).toThrow('does not lend');
    expect(world.clock.pending).toBe(0);
  });

  test('the time of a pause is not counted as lent', async () => {
    const world = new World();
    const { host } = await world.host(TAIL);
    await world.clock.advance(1000);
    await host.pause(CID, RANGE);
    await world.clock.advance(7000);
    host.resume(CID, RANGE);
    await world.clock.advance(500);
    expect(host.status().counters.lentMs).toBe(1500);
  });
});
