import { describe, expect, test } from 'vitest';
import { KV_BYTES, WEIGHT_BYTES } from './testing/arithmetic-engine.ts';
import type { HandClient, Hop } from './testing/hand-client.ts';
import { settled } from './testing/manual-clock.ts';
import { LAYERS, rowsFrom, World } from './testing/world.ts';

const TAIL: Hop = { peer: 'tail', start: 4, end: LAYERS };
const TAIL_LAYERS = LAYERS - 4;
/** Bytes of one block of 16 tokens. */
const BLOCK = 16 * KV_BYTES * TAIL_LAYERS;
/** Room for the weights and this many blocks. */
const budget = (blocks: number) => ({ memoryBudget: WEIGHT_BYTES * TAIL_LAYERS + blocks * BLOCK });

const id = (number: number) => number.toString(16).padStart(64, '0');

async function refusal(client: HandClient): Promise<string | undefined> {
  return (await client.take('abort_session')).code;
}

describe('capacity', () => {
  test('a budget that shrinks below what is taken refuses newcomers until it fits, and ends nobody', async () => {
    const world = new World();
    const { host, diary } = world.join('tail');
    let blocks = 20;
    const slice = world.slice(diary, 4, LAYERS);
    await host.lend(Object.defineProperty(slice, 'memoryBudget', { get: () => budget(blocks).memoryBudget }));
    const first = world.client('first', id(1));
    await first.open([TAIL], { max_seq: 160 });
    blocks = 5;
    expect((await first.hello('tail')).offers![0]!.free_blocks).toBe(0);
    const second = world.client('second', id(2));
    await second.init(TAIL, 'second', 'second', { max_seq: 16 });
    expect(await refusal(second)).toBe('refused-full');
    await first.rows('tail', 0, rowsFrom(1, 3));
    await first.answer();
    await first.abort('tail');
    await settled();
    await second.open([TAIL], { max_seq: 80 });
  });

  test('is counted in blocks of 16 tokens, refused when it is spent, and there again when a session ends', async () => {
    const world = new World();
    const { host, diary } = await world.host(TAIL, { slice: budget(20) });
    const first = world.client('first', id(1));
    expect((await first.hello('tail')).offers![0]).toMatchObject({ free_blocks: 20, sessions: 0 });
    await first.open([TAIL], { max_seq: 250 });
    expect((await first.hello('tail')).offers![0]).toMatchObject({ free_blocks: 4, sessions: 1 });
    const second = world.client('second', id(2));
    await second.init(TAIL, 'second', 'second', { max_seq: 65 });
    expect(await refusal(second)).toBe('refused-full');
    await first.abort('tail');
    await settled();
    expect(diary).toMatchObject({ opened: 1, closed: 1 });
    await second.open([TAIL], { max_seq: 320 });
    expect(host.status()).toMatchObject({ sessions: 1, counters: { opened: 2, refused: 1 } });
  });

  test('sessions have a limit, and those of one peer a smaller one', async () => {
    const world = new World();
    await world.host(TAIL, { limits: { sessions: 3, sessionsPerPeer: 2 } });
    const open = (name: string, number: number) => world.client(name, id(number)).open([TAIL]);
    await open('first', 1);
    await open('first', 2);
    const third = world.client('first', id(3));
    await third.init(TAIL, 'first', 'first');
    expect(await refusal(third)).toBe('refused-full');
    await open('second', 4);
    const fifth = world.client('third', id(5));
    await fifth.init(TAIL, 'third', 'third');
    expect(await refusal(fifth)).toBe('refused-full');
  });

  test('this very peer may have all places but those that are left to others', async () => {
    const world = new World();
    const { host } = await world.host(TAIL, { limits: { sessions: 9, sessionsPerPeer: 2 } });
    const open = (number: number) => world.client('tail', id(number)).open([TAIL]);
    for (let number = 1; number <= 8; number++) await open(number);
    const ninth = world.client('tail', id(9));
    await ninth.init(TAIL, 'tail', 'tail');
    expect(await refusal(ninth)).toBe('refused-full');
    await world.client('other', id(10)).open([TAIL]);
    expect(host.status().sessions).toBe(9);
  });

  test('and all memory but that of one usual conversation, unless the slice is for its own use', async () => {
    for (const [ownUse, second] of [
      [false, 'refused-full'],
      [true, undefined],
    ] as const) {
      const world = new World();
      // Two sessions of 256 tokens fit, and half a conversation of 512 beside them.
      const { host } = await world.host(TAIL, { slice: { ...budget(48), ownUse } });
      await world.client('tail', id(1)).open([TAIL], { max_seq: 256 });
      const client = world.client('tail', id(2));
      if (second) {
        await client.init(TAIL, 'tail', 'tail', { max_seq: 256 });
        expect(await refusal(client)).toBe(second);
        await world.client('other', id(3)).open([TAIL], { max_seq: 256 });
      } else await client.open([TAIL], { max_seq: 256 });
      expect(host.status().sessions).toBe(2);
    }
  });

  test.each([
    ['layers that are not lent', { layer_range: { start: 2, end: LAYERS } }, 'no-slice'],
    ['another model', { model_cid: 'another' }, 'no-slice'],
    ['the head before the last layer', { layer_range: { start: 4, end: 8 }, head: true }, 'no-slice'],
    ['token ids behind the first layer', { embed: true }, 'no-slice'],
    ['a session longer than the engine holds', { max_seq: 2048 }, 'refused-full'],
    ['no route', { prev: undefined }, 'failed'],
  ] as const)('%s: refused', async (_name, more, code) => {
    const world = new World();
    const { diary, host } = await world.host(TAIL);
    const client = world.client();
    await client.init(TAIL, 'client', 'client', more);
    expect(await refusal(client)).toBe(code);
    await settled();
    expect(host.status().sessions).toBe(0);
    expect(diary.opened).toBe(diary.closed);
  });
});

describe('parts on demand', () => {
  test('sessions that ask at once for the same part have it loaded once', async () => {
    const world = new World();
    const { diary } = await world.host(TAIL);
    const inner: Hop = { peer: 'tail', start: 6, end: 9 };
    const clients = [1, 2, 3].map((number) => world.client('client', id(number)));
    await Promise.all(clients.map((client) => client.open([inner])));
    expect(diary.engines.map(({ part }) => [part.start, part.end])).toEqual([
      [4, LAYERS],
      [6, 9],
    ]);
  });

  test('a part that nobody uses goes when the memory is needed, and not before', async () => {
    const world = new World();
    const { diary } = await world.host(TAIL, { slice: budget(6) });
    const inner: Hop = { peer: 'tail', start: 4, end: 6 };
    const client = world.client('client', id(1));
    await client.open([inner], { max_seq: 16 });
    await client.abort('tail');
    await settled();
    expect(diary.engines[1]!.disposed).toBe(false);
    const greedy = world.client('client', id(2));
    await greedy.open([TAIL], { max_seq: 96 });
    expect(diary.engines[1]!.disposed).toBe(true);
    const late = world.client('client', id(3));
    await late.init(inner, 'client', 'client', { max_seq: 16 });
    expect(await refusal(late)).toBe('refused-full');
  });

  test('a client that leaves while its part is loading stops the loading', async () => {
    const world = new World();
    let stopped = false;
    const { diary, host } = world.join('tail');
    const lent = world.slice(diary, 4, LAYERS);
    let loading = () => {};
    const started = new Promise<void>((resolve) => {
      loading = resolve;
    });
    await host.lend({
      ...lent,
      load: (part, options) =>
        part.start === 4
          ? lent.load(part, options)
          : new Promise((_, reject) => {
              loading();
              options.signal.addEventListener('abort', () => {
                stopped = true;
                reject(new Error('stopped'));
              });
            }),
    });
    const client = world.client();
    await client.init({ peer: 'tail', start: 6, end: 9 }, 'client', 'client');
    await started;
    await client.abort('tail');
    await settled();
    expect(stopped).toBe(true);
    expect(host.status()).toMatchObject({ sessions: 0, counters: { failed: 0 } });
    expect(host.status().slices[0]!.offer.loaded).toHaveLength(1);
  });

  test('a part that cannot be loaded is told and does not stand in the way of the next try', async () => {
    const world = new World();
    const { diary, host } = world.join('tail');
    const lent = world.slice(diary, 4, LAYERS);
    let broken = true;
    await host.lend({
      ...lent,
      load: (part, options) =>
        part.start === 6 && broken ? Promise.reject(new Error('no bytes')) : lent.load(part, options),
    });
    const inner: Hop = { peer: 'tail', start: 6, end: 9 };
    const client = world.client();
    await client.init(inner, 'client', 'client');
    expect(await client.take('abort_session')).toMatchObject({ code: 'failed', reason: 'no bytes' });
    broken = false;
    await client.open([inner]);
  });
});

describe('sessions that nobody needs any more', () => {
  test('end when their client is gone', async () => {
    const world = new World();
    const { diary, host } = await world.host(TAIL);
    await world.client().open([TAIL]);
    world.network.kill('client');
    await settled();
    expect(host.status().sessions).toBe(0);
    expect(diary).toMatchObject({ opened: 1, closed: 1 });
  });

  test('end after the idle limit, and the client is told', async () => {
    const world = new World();
    const { diary } = await world.host(TAIL, { limits: { idleMs: 1000 } });
    const client = world.client();
    await client.open([TAIL]);
    await world.clock.advance(800);
    await client.rows('tail', 0, rowsFrom(1, 1));
    await client.answer();
    await world.clock.advance(900);
    expect(client.inbox).toEqual([]);
    await world.clock.advance(101);
    expect(await client.take('abort_session')).toMatchObject({ code: 'idle' });
    expect(diary).toMatchObject({ opened: 1, closed: 1 });
  });

  test('a session whose next hop is gone stays, and its client is told', async () => {
    const world = new World();
    const first: Hop = { peer: 'first', start: 2, end: 4 };
    const { host } = await world.host(first);
    await world.host(TAIL);
    const client = world.client();
    await client.open([first, TAIL]);
    await client.rows('first', 0, rowsFrom(1, 2));
    await client.answer();
    world.network.kill('tail');
    expect(await client.take('heartbeat', 'first')).toMatchObject({ health: 2, length: 2 });
    expect(await client.ask('first')).toMatchObject({ health: 2 });
    expect(host.status().sessions).toBe(1);
  });

  test('a next hop that cannot be dialled is told at once', async () => {
    const world = new World();
    const first: Hop = { peer: 'first', start: 2, end: 4 };
    await world.host(first);
    const client = world.client();
    await client.init(first, 'client', 'nobody');
    expect(await client.take('heartbeat', 'first')).toMatchObject({ health: 2, length: 0 });
    await client.ack('first');
  });
});
