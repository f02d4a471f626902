import { describe, expect, test } from 'vitest';
import type { SamplingState } from '../wire/index.ts';
import type { HandClient, Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { alone, LAYERS, rowsFrom, sample, World } from './testing/world.ts';

const A: Hop = { peer: 'hostA', start: 2, end: 5 };
const B: Hop = { peer: 'hostB', start: 5, end: 8 };
const C: Hop = { peer: 'hostC', start: 8, end: LAYERS };
const WHOLE = { start: 2, end: LAYERS, embed: false, head: false };
const PROMPT = 150;

async function lay(hops: readonly Hop[]): Promise<{ world: World; client: HandClient }> {
  const world = new World();
  for (const hop of hops) await world.host(hop);
  return { world, client: world.client() };
}

/** Sends a prompt in chunks of 64 and takes the answer to its last row. */
async function prefill(client: HandClient, first: string, rows: Float32Array): Promise<Float32Array> {
  const count = rows.length / 4;
  for (let at = 0; at < count; at += 64)
    await client.rows(first, at, rows.slice(at * 4, (at + 64) * 4), { answer_from: count - 1 });
  return (await client.answer()).values;
}

describe('a chain of three slices', () => {
  test('answers as the whole does, in the prefill and in each step', async () => {
    const { client } = await lay([A, B, C]);
    await client.open([A, B, C]);
    const whole = alone(WHOLE);
    const prompt = rowsFrom(1, PROMPT);
    const answer = await prefill(client, A.peer, prompt);
    expect(answer).toEqual((await whole(prompt)).slice(-4));
    for (let step = 0; step < 5; step++) {
      const row = rowsFrom(step + 9, 1);
      await client.rows(A.peer, PROMPT + step, row);
      expect(await client.answer()).toEqual({ position: PROMPT + step, values: await whole(row) });
    }
  });

  test('acknowledges the chunks of a prompt that are not answered, and says who computed how long', async () => {
    const { client } = await lay([A, B, C]);
    await client.open([A, B, C]);
    await prefill(client, A.peer, rowsFrom(1, PROMPT));
    const progress = client.left('heartbeat');
    expect(progress).toMatchObject([
      { length: 64, health: 0, compute_ms: [1, 1, 1] },
      { length: 128, health: 0, compute_ms: [1, 1, 1] },
    ]);
  });

  test.each(['fp16', 'int8'] as const)('sends rows as %s when asked to', async (dtype) => {
    const { client } = await lay([C]);
    await client.open([C], { dtype });
    await client.rows(C.peer, 0, rowsFrom(1, 3), { answer_from: 0 });
    const frame = await client.take('forward_hidden');
    expect(frame).toMatchObject({ dtype, shape: [1, 3, 4], position: 0 });
    expect(frame.answer_from).toBeUndefined();
  });
});

describe('a hop that is lost', () => {
  test('is replaced, and only its own layers are computed again', async () => {
    const { world, client } = await lay([A, B, C]);
    const spare: Hop = { ...B, peer: 'spare' };
    await world.host(spare);
    await client.open([A, B, C]);
    const whole = alone(WHOLE);
    const prompt = rowsFrom(1, PROMPT);
    await prefill(client, A.peer, prompt);
    await whole(prompt);
    const sentBefore = world.hosts.get(B.peer)!.transport.sent.filter(({ to }) => to === C.peer);
    world.network.kill(B.peer);
    client.inbox.length = 0;
    // The step after the loss: hop A computes it and cannot send it on.
    const row = rowsFrom(9, 1);
    await client.rows(A.peer, PROMPT, row);
    expect(await client.take('heartbeat', A.peer)).toMatchObject({ health: 2 });

    const { self } = client.transport;
    client.epoch = 2;
    await client.init(spare, A.peer, C.peer, { in_epoch: 2, out_epoch: 2 });
    await client.init(C, spare.peer, self, { in_epoch: 2, out_epoch: 1 });
    expect(await client.ack(spare.peer)).toMatchObject({ length: 0, epoch: 2 });
    expect(await client.ack(C.peer)).toMatchObject({ length: PROMPT });
    await client.init(spare, A.peer, C.peer, {
      replay: { from: PROMPT, deliver_from: PROMPT, answer_from: PROMPT },
    });
    await client.init(A, self, spare.peer, {
      in_epoch: 1,
      out_epoch: 2,
      replay: { from: 0, deliver_from: PROMPT, answer_from: PROMPT },
    });
    expect((await client.answer()).values).toEqual(await whole(row));

    const counters = (peer: string) => world.hosts.get(peer)!.host.status().counters;
    expect(counters(spare.peer)).toMatchObject({ replayedPositions: PROMPT });
    expect(counters(A.peer)).toMatchObject({ replayedPositions: 0, prefillPositions: PROMPT });
    expect(counters(C.peer)).toMatchObject({ replayedPositions: 0, prefillPositions: PROMPT });
    expect(sentBefore.length).toBeGreaterThan(0);
  });

  test('is replaced by two in a row, which a loss of the tail is as well', async () => {
    const { world, client } = await lay([A, B, C]);
    const first: Hop = { peer: 'first', start: 5, end: 10 };
    const tail: Hop = { peer: 'tail', start: 10, end: LAYERS };
    await world.host(first);
    await world.host(tail);
    await client.open([A, B, C]);
    const whole = alone(WHOLE);
    const prompt = rowsFrom(1, PROMPT);
    await prefill(client, A.peer, prompt);
    await whole(prompt);
    const row = rowsFrom(9, 1);
    await client.rows(A.peer, PROMPT, row);
    const expected = await whole(row);
    expect((await client.answer()).values).toEqual(expected);
    world.network.kill(B.peer);
    world.network.kill(C.peer);

    const { self } = client.transport;
    client.epoch = 2;
    const replay = { from: 0, deliver_from: PROMPT, answer_from: PROMPT };
    await client.init(first, A.peer, tail.peer, { replay });
    await client.init(tail, first.peer, self, { replay: { ...replay, from: PROMPT } });
    await client.ack(first.peer);
    await client.ack(tail.peer);
    await client.init(A, self, first.peer, { in_epoch: 1, replay });
    // The answer that it gave before comes again, the same bits.
    expect(await client.answer()).toEqual({ position: PROMPT, values: expected });
    const next = rowsFrom(10, 1);
    await client.rows(A.peer, PROMPT + 1, next, { epoch: 1 });
    expect((await client.answer()).values).toEqual(await whole(next));
  });

  test('is given its rows by the frames alone when no init says where it begins to send', async () => {
    const { client } = await lay([A]);
    await client.init(A, client.transport.self, client.transport.self);
    await client.ack(A.peer);
    const rows = rowsFrom(1, 10);
    await client.rows(A.peer, 0, rows, { deliver_from: 8, answer_from: 9 });
    const frame = await client.take('forward_hidden');
    expect(frame).toMatchObject({ position: 8, shape: [1, 2, 4], answer_from: 9 });
    expect(frame.deliver_from).toBeUndefined();
  });

  test('a replay that is cut short by another change of route leaves nothing out and doubles nothing', async () => {
    const { world, client } = await lay([A]);
    const { self } = client.transport;
    await client.open([A]);
    const rows = rowsFrom(1, 200);
    for (let at = 0; at < 200; at += 50) await client.rows(A.peer, at, rows.slice(at * 4, (at + 50) * 4));
    await client.ask(A.peer);
    await settled();
    client.inbox.length = 0;
    client.epoch = 2;
    await client.init(A, self, self, {
      in_epoch: 1,
      out_epoch: 2,
      replay: { from: 0, deliver_from: 0, answer_from: 199 },
    });
    client.epoch = 3;
    await client.init(A, self, self, {
      in_epoch: 1,
      out_epoch: 3,
      replay: { from: 120, deliver_from: 0, answer_from: 199 },
    });
    await client.rows(A.peer, 200, rowsFrom(2, 1), { epoch: 1 });
    await client.ask(A.peer);
    await settled();
    const frames = client.left('forward_hidden').filter(({ epoch }) => epoch === 3);
    const covered = frames.flatMap(({ position, shape }) =>
      Array.from({ length: shape[1] }, (_, i) => position! + i),
    );
    expect(covered).toEqual(Array.from({ length: 81 }, (_, i) => 120 + i));
    expect(world.hosts.get(A.peer)!.host.status().sessions).toBe(1);
  });
});

describe('light mode', () => {
  const sampling = (drawn: number): SamplingState => ({
    temperature: 1,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    repetition_penalty: 1,
    repetition_window: 0,
    seed: 3,
    drawn,
    history: new Uint8Array(0),
  });

  test('token ids go in, tokens come out, and no logits or rows travel to the client', async () => {
    const first: Hop = { peer: 'first', start: 0, end: 5 };
    const tail: Hop = { peer: 'tail', start: 5, end: LAYERS };
    const { client } = await lay([first, tail]);
    const { self } = client.transport;
    await client.init(first, self, tail.peer, { embed: true });
    await client.init(tail, first.peer, self, { head: true });
    await client.ack(first.peer);
    await client.ack(tail.peer);
    const whole = alone({ start: 0, end: LAYERS, embed: true, head: true });
    const prompt = Array.from({ length: 20 }, (_, i) => i);
    await client.tokens(first.peer, 0, prompt, { sampling: sampling(0), answer_from: 19 });
    const token = await client.take('token');
    expect(token).toMatchObject({ position: 19, sampled: sample(await whole(prompt), sampling(0)) });
    await client.tokens(first.peer, 20, [token.sampled], { sampling: sampling(1) });
    const second = await client.take('token');
    expect(second.sampled).toBe(sample(await whole([token.sampled]), sampling(1)));
    expect(client.left('forward_hidden')).toEqual([]);
  });

  test('a tail that is asked again gives the same token', async () => {
    const tail: Hop = { peer: 'tail', start: 5, end: LAYERS };
    const { client } = await lay([tail]);
    const { self } = client.transport;
    await client.open([tail], { head: true });
    await client.rows(tail.peer, 0, rowsFrom(1, 9), { sampling: sampling(4) });
    const { sampled } = await client.take('token');
    client.epoch = 2;
    await client.init(tail, self, self, {
      in_epoch: 1,
      head: true,
      replay: { from: 8, deliver_from: 8, answer_from: 8 },
    });
    expect(await client.take('token')).toMatchObject({ sampled, position: 8, epoch: 2 });
  });

  test('a whole model of which all but two layers are loaded serves it beside them', async () => {
    const world = new World();
    const all: Hop = { peer: 'all', start: 0, end: LAYERS };
    const { diary } = await world.host(all, {
      slice: { main: { start: 2, end: LAYERS, embed: false, head: false } },
    });
    const client = world.client();
    await client.open([all], { embed: true, head: true });
    await client.tokens(all.peer, 0, [1, 2, 3], { sampling: sampling(0) });
    const whole = alone({ start: 0, end: LAYERS, embed: true, head: true });
    expect((await client.take('token')).sampled).toBe(sample(await whole([1, 2, 3]), sampling(0)));
    expect(diary.engines.map(({ part }) => [part.start, part.end])).toEqual([
      [2, LAYERS],
      [0, 2],
      [LAYERS, LAYERS],
    ]);
  });
});
