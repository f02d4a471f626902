import { describe, expect, test } from 'vitest';
import type { ArithmeticEngine } from './testing/arithmetic-engine.ts';
import type { Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { alone, LAYERS, rowsFrom, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const PART = { start: 4, end: LAYERS, embed: false, head: false };
const id = (number: number) => number.toString(16).padStart(64, '0');

/** A host whose every run takes 100 ms, and the times at which they began. */
async function throttled(power: number | { value: number }) {
  const world = new World();
  const held = typeof power === 'number' ? { value: power } : power;
  const tail = world.join('tail');
  const slice = world.slice(tail.diary, 4, LAYERS);
  await tail.host.lend(Object.defineProperty(slice, 'power', { get: () => held.value }));
  const began: number[] = [];
  const engine: ArithmeticEngine = tail.diary.engines[0]!;
  engine.onRun = () => {
    began.push(world.clock.now());
    engine.gate = new Promise((resolve) => world.clock.after(100, () => resolve()));
  };
  return { world, ...tail, began };
}

describe('the power of a lent slice', () => {
  test.each([
    [0.25, [0, 400, 800]],
    [0.5, [0, 200, 400]],
    [1, [0, 100, 200]],
    // A rest has an end: 9.9 s would be a hop that is lost.
    [0.01, [0, 2100, 4200]],
  ])('at %d it rests between runs, and computes the same', async (power, expected) => {
    const { world, began } = await throttled(power);
    const client = world.client();
    await client.open([TAIL]);
    const prompt = rowsFrom(1, 3);
    const whole = alone(PART);
    const right = [await whole(prompt), await whole(rowsFrom(2, 1)), await whole(rowsFrom(3, 1))];
    await client.rows('tail', 0, prompt, { answer_from: 0 });
    await client.rows('tail', 3, rowsFrom(2, 1));
    await client.rows('tail', 4, rowsFrom(3, 1));
    await world.clock.advance(10_000);
    for (const values of right) expect((await client.answer()).values).toEqual(values);
    expect(began).toEqual(expected);
  });

  test('a change takes effect at the next run, and the offer tells the speed with the rests', async () => {
    const power = { value: 1 };
    const { world, began } = await throttled(power);
    const client = world.client();
    await client.open([TAIL]);
    expect((await client.hello('tail')).offers![0]).toMatchObject({ decode_ms: 2, prefill_ms: 1 });
    for (let at = 0; at < 4; at++) await client.rows('tail', at, rowsFrom(at, 1));
    await world.clock.advance(150);
    power.value = 0.5;
    expect((await client.hello('tail')).offers![0]).toMatchObject({ decode_ms: 4, prefill_ms: 2 });
    await world.clock.advance(10_000);
    expect(began).toEqual([0, 100, 300, 500]);
  });

  test('a prompt gets its turn although steps come at each end of a rest', async () => {
    const { world, began, diary } = await throttled(0.5);
    const long = world.client('long', id(1));
    const quick = world.client('quick', id(2));
    await long.open([TAIL]);
    await quick.open([TAIL]);
    for (let at = 0; at < 4; at++) await quick.rows('tail', at, rowsFrom(at, 1));
    await long.rows('tail', 0, rowsFrom(1, 100), { answer_from: 99 });
    await world.clock.advance(10_000);
    expect(diary.runs).toEqual([[1], [64], [1], [36], [1], [1]]);
    expect(began).toEqual([0, 200, 400, 600, 800, 1000]);
  });

  test('a rest holds neither a stop nor the end of a session, and no timer outlives it', async () => {
    const { world, host, began } = await throttled(0.25);
    const client = world.client();
    await client.open([TAIL]);
    for (let at = 0; at < 3; at++) await client.rows('tail', at, rowsFrom(at, 1));
    await world.clock.advance(150);
    // One is computed, and it rests until 400.
    await client.abort('tail', 'stopped', { keep: true, generation: 0 });
    expect(await client.ask('tail')).toMatchObject({ length: 1 });
    await world.clock.advance(1000);
    expect(began).toEqual([0]);
    await client.rows('tail', 1, rowsFrom(7, 1), { generation: 1, kv_truncate_to: 1 });
    await client.rows('tail', 2, rowsFrom(8, 1), { generation: 1, kv_truncate_to: 1 });
    await world.clock.advance(150);
    const waiting = world.clock.pending;
    await client.abort('tail');
    await settled();
    expect(host.status().sessions).toBe(0);
    // The session's own limit and the end of the rest.
    expect(world.clock.pending).toBe(waiting - 2);
  });

  test('a timer that fires late, as in a hidden tab, is made up for', async () => {
    const { world, began } = await throttled(0.5);
    const { clock } = world;
    const after = clock.after.bind(clock);
    // Only whole seconds have timers, but for the runs themselves.
    clock.after = (ms, run) =>
      after(
        ms === 100 && began.length > 0 && clock.now() === began.at(-1) ? ms : 1000 - (clock.now() % 1000),
        run,
      );
    const client = world.client();
    await client.open([TAIL]);
    for (let at = 0; at < 12; at++) await client.rows('tail', at, rowsFrom(at, 1));
    await clock.advance(10_000);
    // 900 ms late: nine runs without a rest, and again.
    expect(began[1]).toBe(1000);
    expect(began.slice(1, 10)).toEqual(Array.from({ length: 9 }, (_, i) => 1000 + 100 * i));
    expect(began[10]).toBe(2000);
  });

  test('its own sessions are not held back and do not make others wait', async () => {
    const { world, host, began } = await throttled(0.25);
    const other = world.client('other', id(1));
    const own = world.client('tail', id(2));
    await other.open([TAIL]);
    await own.open([TAIL]);
    await other.rows('tail', 0, rowsFrom(1, 1));
    await other.rows('tail', 1, rowsFrom(2, 1));
    await world.clock.advance(150);
    for (let at = 0; at < 3; at++) await own.rows('tail', at, rowsFrom(at, 1));
    await world.clock.advance(10_000);
    // The rest of the first ends at 400, in the middle of the third own one, which it shares a queue with.
    expect(began.slice(0, 4)).toEqual([0, 150, 250, 350]);
    expect(began[4]).toBe(450);
    expect(host.status()).toMatchObject({ sessions: 2, serving: 1 });
    expect(host.status().counters).toMatchObject({
      decodePositions: 5,
      tokensServed: 2,
      positionsServed: 2,
      sessionsServed: 1,
      peersHelped: 1,
      servedMs: 200,
    });
  });
});

test('what was done for others is counted: peers once, the time it was lent, no own chains', async () => {
  const { world, host } = await throttled(1);
  await world.clock.advance(1000);
  for (const [name, session] of [
    ['one', id(1)],
    ['two', id(2)],
    ['two', id(3)],
  ] as const) {
    const client = world.client(name, session);
    await client.open([TAIL]);
    await client.rows('tail', 0, rowsFrom(1, 5));
    await world.clock.advance(200);
    await client.abort('tail');
  }
  await settled();
  const { counters } = host.status();
  expect(counters).toMatchObject({
    peersHelped: 2,
    sessionsServed: 3,
    positionsServed: 15,
    tokensServed: 0,
    servedMs: 300,
    servedBytesIn: 3 * 5 * 4 * 4,
    lentMs: 1600,
  });
  expect(counters.servedBytesOut).toBeGreaterThan(0);
  const { slices } = host.status();
  await host.drain(slices[0]!.cid, TAIL);
  await world.clock.advance(5000);
  expect(host.status().counters.lentMs).toBe(1600);
});
