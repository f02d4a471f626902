import { describe, expect, test } from 'vitest';
import type { Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { alone, LAYERS, rowsFrom, type TestHost, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const PART = { start: 4, end: LAYERS, embed: false, head: false };
const id = (number: number) => number.toString(16).padStart(64, '0');

/** Makes the first engine wait; `open` lets it go on. */
function gate({ diary }: TestHost): { open: () => void; started: Promise<number> } {
  const engine = diary.engines[0]!;
  let open = () => {};
  engine.gate = new Promise((resolve) => {
    open = resolve;
  });
  const started = new Promise<number>((resolve) => {
    engine.onRun = resolve;
  });
  return { open, started };
}

test('eight sessions share their steps, and each gets what it gets alone', async () => {
  const world = new World();
  const { host, diary } = await world.host(TAIL);
  const clients = Array.from({ length: 8 }, (_, i) => world.client(`client${i}`, id(i + 1)));
  await Promise.all(clients.map((client) => client.open([TAIL])));
  await Promise.all(
    clients.map(async (client, i) => {
      const whole = alone(PART);
      const prompt = rowsFrom(i, 3 + 5 * i);
      await client.rows('tail', 0, prompt);
      expect((await client.answer()).values).toEqual((await whole(prompt)).slice(-4));
      for (let step = 0; step < 10; step++) {
        const row = rowsFrom(100 * i + step, 1);
        await client.rows('tail', 3 + 5 * i + step, row);
        expect((await client.answer()).values).toEqual(await whole(row));
      }
    }),
  );
  expect(host.status().counters.sharedRuns).toBeGreaterThan(0);
  expect(host.status().counters.decodePositions).toBe(80);
  expect(diary.runs.some((run) => run.length > 1)).toBe(true);
});

test('a long prompt holds the steps of others for one chunk at most', async () => {
  const world = new World();
  const tail = await world.host(TAIL);
  const long = world.client('long', id(1));
  const quick = world.client('quick', id(2));
  await long.open([TAIL]);
  await quick.open([TAIL]);
  const { open, started } = gate(tail);
  await long.rows('tail', 0, rowsFrom(1, 256), { answer_from: 255 });
  await started;
  await quick.rows('tail', 0, rowsFrom(2, 1));
  await settled();
  open();
  await quick.answer();
  await long.answer();
  expect(tail.diary.runs).toEqual([[64], [1], [64], [64], [64]]);
});

test('two long prompts take turns', async () => {
  const world = new World();
  const tail = await world.host(TAIL);
  const clients = [world.client('one', id(1)), world.client('two', id(2))];
  for (const client of clients) await client.open([TAIL]);
  const { open, started } = gate(tail);
  await clients[0]!.rows('tail', 0, rowsFrom(1, 100), { answer_from: 99 });
  await started;
  await clients[1]!.rows('tail', 0, rowsFrom(1, 90), { answer_from: 89 });
  await settled();
  open();
  for (const client of clients) await client.answer();
  expect(tail.diary.runs).toEqual([[64], [64], [36], [26]]);
});

test('a session that spoils a batch ends alone; the others get their answers', async () => {
  const world = new World();
  const tail = await world.host(TAIL);
  const clients = [1, 2, 3].map((number) => world.client(`client${number}`, id(number)));
  for (const client of clients) await client.open([TAIL]);
  const engine = tail.diary.engines[0]!;
  // As if the back end had lost one cache.
  engine.sessions.delete(2);
  await Promise.all(clients.map((client, i) => client.rows('tail', 0, rowsFrom(i, 1))));
  expect(await clients[1]!.take('abort_session')).toMatchObject({ code: 'failed' });
  for (const at of [0, 2]) {
    const expected = await alone(PART)(rowsFrom(at, 1));
    expect((await clients[at]!.answer()).values).toEqual(expected);
  }
});

test('a next hop that does not read holds its own sessions only', async () => {
  const world = new World();
  const first: Hop = { peer: 'first', start: 2, end: 4 };
  const { transport } = await world.host(first);
  await world.host(TAIL);
  await world.host({ ...TAIL, peer: 'slow' });
  const send = transport.send.bind(transport);
  let read = () => {};
  const reads = new Promise<void>((resolve) => {
    read = resolve;
  });
  transport.send = async (to, frame, options) => {
    if (to.peer === 'slow') await reads;
    await send(to, frame, options);
  };
  const held = world.client('held', id(1));
  const free = world.client('free', id(2));
  await held.open([first, { ...TAIL, peer: 'slow' }]);
  await free.open([first, TAIL]);
  const rows = rowsFrom(1, 100);
  for (let at = 0; at < 100; at++) await held.rows('first', at, rows.slice(at * 4, at * 4 + 4));
  for (let at = 0; at < 20; at++) {
    await free.rows('first', at, rowsFrom(at, 1));
    expect((await free.answer()).position).toBe(at);
  }
  expect(held.left('forward_hidden')).toEqual([]);
  read();
  const whole = alone({ start: 2, end: LAYERS, embed: false, head: false });
  const expected = await whole(rows);
  for (let at = 0; at < 100; at++)
    expect((await held.answer()).values).toEqual(expected.slice(at * 4, at * 4 + 4));
});

describe('an engine that fails', () => {
  test('ends the session it fails for', async () => {
    const world = new World();
    const tail = await world.host(TAIL);
    const client = world.client();
    await client.open([TAIL]);
    tail.diary.engines[0]!.failure = new Error('the back end failed');
    await client.rows('tail', 0, rowsFrom(1, 1));
    expect(await client.take('abort_session')).toMatchObject({
      code: 'failed',
      reason: 'the back end failed',
    });
    expect(tail.host.status().counters.failed).toBe(1);
  });
});
