import { beforeEach, describe, expect, test } from 'vitest';
import { encodeMessage } from '../wire/index.ts';
import type { HandClient, Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { alone, LAYERS, rowsFrom, type TestHost, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const PART = { start: 4, end: LAYERS, embed: false, head: false };

let world: World;
let tail: TestHost;
let client: HandClient;

beforeEach(async () => {
  world = new World();
  tail = await world.host(TAIL);
  client = world.client();
  await client.open([TAIL]);
});

/** Rows that the tail got, in order; its outputs of them. */
async function wholeOf(...rows: Float32Array[]): Promise<Float32Array> {
  const whole = alone(PART);
  let last = new Float32Array(0);
  for (const some of rows) last = new Float32Array(await whole(some));
  return last.slice(-4);
}

describe('frames that are not taken', () => {
  test('rows that are there already are left out, so that a doubled frame changes nothing', async () => {
    const rows = rowsFrom(1, 10);
    await client.rows(TAIL.peer, 0, rows.slice(0, 24));
    await client.answer();
    await client.rows(TAIL.peer, 0, rows.slice(0, 24));
    // Overlaps by two rows.
    await client.rows(TAIL.peer, 4, rows.slice(16));
    expect(await client.answer()).toEqual({ position: 9, values: await wholeOf(rows) });
    expect(tail.host.status().counters).toMatchObject({ droppedFrames: 1, prefillPositions: 10 });
  });

  test('a frame of another epoch, of an older generation, or from another peer is dropped', async () => {
    const stranger = world.client('stranger');
    await client.rows(TAIL.peer, 0, rowsFrom(1, 3));
    await client.answer();
    await client.rows(TAIL.peer, 3, rowsFrom(2, 1), { epoch: 9 });
    await stranger.rows(TAIL.peer, 3, rowsFrom(2, 1));
    await client.rows(TAIL.peer, 2, rowsFrom(3, 1), { generation: 1, kv_truncate_to: 2 });
    await client.answer();
    await client.rows(TAIL.peer, 3, rowsFrom(2, 1), { generation: 0 });
    expect(await client.ask(TAIL.peer)).toMatchObject({ length: 3, generation: 1 });
    expect(tail.host.status().counters.droppedFrames).toBe(3);
  });

  test('control from anyone but the opener is not followed', async () => {
    const stranger = world.client('stranger');
    await stranger.abort(TAIL.peer);
    await stranger.init(TAIL, 'stranger', 'stranger', { epoch: 5 });
    expect(await stranger.take('abort_session')).toMatchObject({ code: 'failed' });
    await stranger.send(TAIL.peer, {
      kind: 'heartbeat',
      session_id: client.sessionId,
      last_seq: 0,
      health: 0,
      ask: true,
    });
    expect(await stranger.take('abort_session')).toMatchObject({ code: 'no-session' });
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1));
    expect((await client.answer()).position).toBe(0);
  });

  test('missing rows are told once, with what is there', async () => {
    await client.rows(TAIL.peer, 0, rowsFrom(1, 3));
    await client.answer();
    await client.rows(TAIL.peer, 5, rowsFrom(2, 1));
    await client.rows(TAIL.peer, 6, rowsFrom(2, 1));
    expect(await client.take('heartbeat')).toMatchObject({ health: 1, length: 3, epoch: 1 });
    expect(await client.ask(TAIL.peer)).toMatchObject({ health: 0, length: 3 });
    expect(client.inbox).toEqual([]);
    // Once they came, a new gap is told again.
    await client.rows(TAIL.peer, 3, rowsFrom(2, 1));
    await client.answer();
    await client.rows(TAIL.peer, 9, rowsFrom(2, 1));
    expect(await client.take('heartbeat')).toMatchObject({ health: 1, length: 4 });
  });

  test('an init of an older epoch changes nothing and is answered', async () => {
    const world2 = world.client('other');
    await client.init(TAIL, 'other', 'other', { epoch: 0, in_epoch: 0, out_epoch: 0 });
    expect(await client.ack(TAIL.peer)).toMatchObject({ epoch: 1, length: 0 });
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1));
    await client.answer();
    expect(world2.inbox).toEqual([]);
  });
});

describe('a new generation', () => {
  test('forgets what was cut, whatever was under way', async () => {
    const kept = rowsFrom(1, 6);
    const other = rowsFrom(2, 3);
    await client.rows(TAIL.peer, 0, kept);
    await client.rows(TAIL.peer, 6, rowsFrom(3, 80));
    await client.rows(TAIL.peer, 6, other, { generation: 1, kv_truncate_to: 6 });
    let answer = await client.answer();
    while (answer.position !== 8) answer = await client.answer();
    expect(answer.values).toEqual(await wholeOf(kept, other));
  });

  test('keeps the rows before the cut of a frame that the engine is computing', async () => {
    const engine = tail.diary.engines[0]!;
    let open = () => {};
    engine.gate = new Promise((resolve) => {
      open = resolve;
    });
    const started = new Promise<number>((resolve) => {
      engine.onRun = resolve;
    });
    const rows = rowsFrom(1, 20);
    await client.rows(TAIL.peer, 0, rows);
    await started;
    const other = rowsFrom(2, 2);
    await client.rows(TAIL.peer, 12, other, { generation: 1, kv_truncate_to: 12 });
    await settled();
    open();
    expect(await client.answer()).toEqual({
      position: 13,
      values: await wholeOf(rows.slice(0, 48), other),
    });
  });

  test('that cuts below what the engine is computing takes rows right behind the cut', async () => {
    const kept = rowsFrom(1, 6);
    await client.rows(TAIL.peer, 0, kept);
    await client.answer();
    const engine = tail.diary.engines[0]!;
    engine.gate = new Promise(() => undefined);
    const started = new Promise<number>((resolve) => {
      engine.onRun = resolve;
    });
    await client.rows(TAIL.peer, 6, rowsFrom(3, 8));
    await started;
    engine.gate = Promise.resolve();
    const other = rowsFrom(2, 3);
    await client.rows(TAIL.peer, 2, other, { generation: 1, kv_truncate_to: 2 });
    expect(await client.answer()).toEqual({
      position: 4,
      values: await wholeOf(kept.slice(0, 8), other),
    });
  });

  test('taken by an init cuts as one taken by a frame', async () => {
    await client.rows(TAIL.peer, 0, rowsFrom(1, 9));
    await client.answer();
    await client.init(TAIL, 'client', 'client', { epoch: 2, generation: 1, kv_truncate_to: 4 });
    expect(await client.ack(TAIL.peer)).toMatchObject({ length: 4, generation: 1, epoch: 2 });
    // No error where the cache is shorter.
    await client.init(TAIL, 'client', 'client', { epoch: 2, generation: 2, kv_truncate_to: 40 });
    expect(await client.ack(TAIL.peer)).toMatchObject({ length: 4, generation: 2 });
  });
});

describe('a new route', () => {
  test('forgets what waits from the old one: it comes again', async () => {
    const engine = tail.diary.engines[0]!;
    let open = () => {};
    engine.gate = new Promise((resolve) => {
      open = resolve;
    });
    const rows = rowsFrom(1, 9);
    await client.rows(TAIL.peer, 0, rows.slice(0, 16));
    await settled();
    await client.rows(TAIL.peer, 4, rows.slice(16, 32));
    await client.init(TAIL, 'client', 'client', { epoch: 2, in_epoch: 2 });
    expect(await client.ack(TAIL.peer)).toMatchObject({ length: 0 });
    open();
    await settled();
    // What was with the engine already counts.
    expect(await client.ask(TAIL.peer)).toMatchObject({ length: 4 });
    client.inbox.length = 0;
    await client.rows(TAIL.peer, 0, rows, { epoch: 2 });
    expect(await client.answer()).toEqual({ position: 8, values: await wholeOf(rows) });
  });

  test('gives up what waits for the old link, and an older route does not come back', async () => {
    const { transport } = tail;
    const send = transport.send.bind(transport);
    const stopped = new Promise<void>((resolve) => {
      transport.send = (_to, _frame, options) => {
        transport.send = send;
        options?.signal?.addEventListener('abort', () => resolve());
        return new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new Error('late')));
        });
      };
    });
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1));
    await settled();
    const replay = { from: 0, deliver_from: 0, answer_from: 0 };
    await client.init(TAIL, 'client', 'client', { epoch: 3, in_epoch: 1, out_epoch: 3, replay });
    await stopped;
    expect(await client.take('forward_hidden')).toMatchObject({ position: 0, epoch: 3 });
    await client.init(TAIL, 'client', 'other', { epoch: 3, in_epoch: 1, out_epoch: 2 });
    await client.rows(TAIL.peer, 1, rowsFrom(1, 1));
    expect(await client.take('forward_hidden')).toMatchObject({ position: 1, epoch: 3 });
    expect(client.left('heartbeat')).toEqual([]);
  });
});

describe('stop', () => {
  test('ends a prefill within the run that is under way, and the session goes on afterwards', async () => {
    const engine = tail.diary.engines[0]!;
    const before = rowsFrom(1, 5);
    await client.rows(TAIL.peer, 0, before);
    await client.answer();
    engine.gate = new Promise(() => undefined);
    const started = new Promise<number>((resolve) => {
      engine.onRun = resolve;
    });
    for (let at = 5; at < 197; at += 64) await client.rows(TAIL.peer, at, rowsFrom(2, 64));
    expect(await started).toBe(64);
    await client.abort(TAIL.peer, 'stopped', { keep: true, generation: 0 });
    // Of the stopped generation, and still on its way.
    await client.rows(TAIL.peer, 5, rowsFrom(2, 64));
    expect(await client.ask(TAIL.peer)).toMatchObject({ length: 5 });
    engine.gate = Promise.resolve();
    const after = rowsFrom(3, 2);
    await client.rows(TAIL.peer, 5, after, { generation: 1, kv_truncate_to: 5 });
    expect(await client.answer()).toEqual({ position: 6, values: await wholeOf(before, after) });
    expect(tail.diary.runs).toEqual([[5], [2]]);
  });
});

describe('frames that no honest peer sends', () => {
  test.each([
    ['rows of another width', { shape: [1, 1, 3], payload: new Uint8Array(12) }],
    ['token ids where rows belong', { dtype: 'tokens', shape: [1, 1, 1], payload: new Uint8Array(4) }],
    ['no position', { position: undefined }],
    ['more rows than the session was opened for', { shape: [1, 300, 4], payload: new Uint8Array(4800) }],
    ['a new generation that does not say what it forgets', { generation: 3 }],
  ] as const)('%s end the session, and its cache is freed', async (_name, wrong) => {
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1), wrong as never);
    expect(await client.take('abort_session')).toMatchObject({ code: 'bad-frame' });
    await settled();
    expect(tail.diary).toMatchObject({ opened: 1, closed: 1 });
    expect(tail.host.status().counters).toMatchObject({ failed: 1, cutOff: 0 });
  });

  test('not-a-number cuts the sender off and ends only that session', async () => {
    const evil = world.client('evil', 'cd'.repeat(32));
    await evil.open([TAIL]);
    await evil.rows(TAIL.peer, 0, new Float32Array(4), {
      payload: new Uint8Array(new Float32Array([1, Number.NaN, 3, 4]).buffer),
    });
    await settled();
    expect(evil.gone).toEqual(['tail']);
    expect(tail.host.status()).toMatchObject({ sessions: 1, counters: { cutOff: 1 } });
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1));
    expect((await client.answer()).position).toBe(0);
  });

  test('garbage cuts the sender off while others are served', async () => {
    const evil = world.client('evil', 'cd'.repeat(32));
    await evil.open([TAIL]);
    const frame = encodeMessage({
      kind: 'abort_session',
      session_id: evil.sessionId,
      reason: 'x',
    });
    frame[6] = 0xff;
    await evil.transport.send({ peer: 'tail', addrs: [] }, frame);
    await settled();
    expect(evil.gone).toEqual(['tail']);
    expect(tail.host.status()).toMatchObject({ sessions: 1, counters: { cutOff: 1 } });
    await client.rows(TAIL.peer, 0, rowsFrom(1, 1));
    await client.answer();
  });

  test('a sender that does not wait is ended before its frames fill the memory', async () => {
    const small = await world.host({ ...TAIL, peer: 'small' }, { limits: { queueBytes: 64 * 16 } });
    small.diary.engines[0]!.gate = new Promise(() => undefined);
    const other = world.client('eager', 'ef'.repeat(32));
    await other.open([{ ...TAIL, peer: 'small' }]);
    for (let at = 0; at < 192; at += 48) await other.rows('small', at, rowsFrom(1, 48));
    expect(await other.take('abort_session')).toMatchObject({ code: 'bad-frame' });
    await settled();
    expect(small.diary).toMatchObject({ opened: 1, closed: 1 });
  });
});
