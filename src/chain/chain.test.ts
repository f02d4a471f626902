import { describe, expect, test } from 'vitest';
import { settled } from '../host/testing/manual-clock.ts';
import { encodeMessage } from '../wire/index.ts';
import { aloneText, ChainWorld, greedily, PROMPT, say } from './testing/chain-world.ts';

const prefer = ['a', 'b', 'c'];

test.each([
  ['one hop', [{ peer: 'a', start: 0, end: 12 }]],
  [
    'two hops',
    [
      { peer: 'a', start: 0, end: 7 },
      { peer: 'b', start: 7, end: 12 },
    ],
  ],
  [
    'slices that overlap',
    [
      { peer: 'a', start: 0, end: 6 },
      { peer: 'b', start: 3, end: 9 },
      { peer: 'c', start: 7, end: 12 },
    ],
  ],
])('the text is that of one machine: %s, private and light', async (_, hops) => {
  const world = new ChainWorld();
  for (const hop of hops) await world.host(hop);
  for (const privacy of ['private', 'light'] as const) {
    const chain = await world.chain({ privacy });
    const session = await chain.open();
    expect(await say(chain, session, PROMPT, 24)).toEqual(await aloneText(PROMPT, 24, privacy === 'light'));
    const { recoveries, computeMs } = chain.status();
    expect(recoveries).toBe(0);
    // A millisecond for each engine and run: five chunks and 23 steps; and 24 runs of the head.
    expect(computeMs).toBe(28 * (hops.length + (privacy === 'private' ? 1 : 0)) + 24);
    await chain.dispose();
  }
});

test('the own host is a peer like any other', async () => {
  const world = new ChainWorld();
  const own = world.join('client');
  await own.host.lend(world.slice(own.diary, 2, 6));
  await world.host({ peer: 'b', start: 6, end: 12 });
  const chain = await world.chain();
  const session = await chain.open();
  expect(await say(chain, session, PROMPT, 12)).toEqual(await aloneText(PROMPT, 12));
  expect(chain.status(session).hops[0]).toMatchObject({ peer: 'client', path: 'local', roundTripMs: 0 });
  await chain.dispose();
  await expect(world.chain({ exclude: ['client'] })).rejects.toMatchObject({
    code: 'no-cover',
    missing: [{ start: 2, end: 6 }],
  });
});

test('a prefill travels in chunks, at most hops + window of them unanswered, and tells how far it is', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const chain = await world.chain({ prefer, limits: { chunk: 4, window: 1 } });
  const session = await chain.open();
  let open = 0;
  let most = 0;
  const rows: number[] = [];
  world.onMessage((from, to, message) => {
    if (message.kind === 'forward_hidden' && to === 'a') {
      rows.push(message.shape[1]);
      most = Math.max(most, ++open);
    }
    if (to === 'client' && from === 'c' && message.kind !== 'session_ack') open--;
  });
  const progress: number[] = [];
  await chain.forward(session, { tokens: PROMPT }, { onProgress: (done) => progress.push(done) });
  expect(rows).toEqual(Array.from({ length: 10 }, () => 4));
  expect(most).toBeLessThanOrEqual(4);
  expect(most).toBeGreaterThan(1);
  expect(progress).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
  await chain.dispose();
});

test('each step says what every hop, the client and the wire took of it', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const chain = await world.chain({ prefer });
  const session = await chain.open();
  const first = await chain.forward(session, { tokens: PROMPT });
  // A millisecond for each engine and run: five chunks through each hop and the client's layers, and its head.
  expect(first).toMatchObject({ computeMs: 21, hopMs: [5, 5, 5] });
  const step = await chain.forward(session, { tokens: [3] });
  expect(step).toMatchObject({ computeMs: 5, hopMs: [1, 1, 1] });
  const { wireMs } = chain.status(session);
  expect(first.wireMs + step.wireMs).toBeCloseTo(wireMs, 9);
  await chain.dispose();
});

test('cutting back and going on is as if it had never been there', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const chain = await world.chain({ prefer });
  const session = await chain.open();
  await say(chain, session, PROMPT, 10);
  await chain.truncate(session, 30);
  await chain.truncate(session, 25);
  await chain.truncate(session, 25);
  const next = [9, 8, 7, 6];
  expect(await say(chain, session, next, 8)).toEqual(await aloneText([...PROMPT.slice(0, 25), ...next], 8));
  await chain.truncate(session, 0);
  expect(await say(chain, session, next, 8)).toEqual(await aloneText(next, 8));
  await expect(chain.truncate(session, 500)).rejects.toMatchObject({ code: 'bad-input' });
  await chain.dispose();
});

describe('stop', () => {
  test.each(['prefill', 'decode'] as const)(
    'in the %s reaches every hop, and the session goes on',
    async (phase) => {
      const world = new ChainWorld();
      await world.hosts3();
      const chain = await world.chain({ prefer });
      const session = await chain.open();
      const said = await say(chain, session, PROMPT.slice(0, 20), 4);
      const before = [...PROMPT.slice(0, 20), ...said.slice(0, -1)];
      const abort = new AbortController();
      const stopped: string[] = [];
      let frames = 0;
      world.onMessage((_, to, message) => {
        if (message.kind === 'abort_session' && message.keep) stopped.push(to);
        if (message.kind === 'forward_hidden' && to === 'b' && ++frames === 2) abort.abort();
      });
      const tokens = phase === 'prefill' ? PROMPT : [said.at(-1)!];
      const run = say(chain, session, tokens, 4, { signal: abort.signal });
      await expect(run).rejects.toMatchObject({ code: 'aborted' });
      expect(stopped.sort()).toEqual(prefer);
      await settled();
      world.network.tap = () => true;
      await chain.truncate(session, before.length);
      const more = [said.at(-1)!, 1, 2, 3];
      expect(await world.passing(say(chain, session, more, 6))).toEqual(
        await aloneText([...before, ...more], 6),
      );
      expect(chain.status(session).recoveries).toBe(0);
      await chain.dispose();
    },
  );

  test('while a hop is being replaced: the session goes on as well', async () => {
    const world = new ChainWorld();
    await world.hosts3({ peer: 'd', start: 5, end: 8 });
    for (const at of ['session_init', 'forward_hidden'] as const) {
      const chain = await world.chain({ prefer: ['a', at === 'session_init' ? 'b' : 'd', 'c'] });
      const session = await chain.open();
      const said = await say(chain, session, PROMPT, 4);
      const fed = [...PROMPT, ...said.slice(0, -1)];
      const victim = chain.status(session).hops[1]!.peer;
      const abort = new AbortController();
      world.onMessage((_, to, message) => {
        if (message.kind === at && !['a', 'c', victim].includes(to) && to !== 'client') abort.abort();
      });
      world.network.kill(victim);
      if (victim === 'd') await world.host({ peer: 'e', start: 5, end: 8 });
      const run = say(chain, session, [said.at(-1)!], 4, { signal: abort.signal });
      await expect(world.passing(run)).rejects.toMatchObject({ code: 'aborted' });
      world.network.tap = () => true;
      const more = [said.at(-1)!, 4, 4];
      expect(await world.passing(say(chain, session, more, 6))).toEqual(
        await aloneText([...fed, ...more], 6),
      );
      await chain.dispose();
      if (victim === 'b') await world.host({ peer: 'd', start: 5, end: 8 });
    }
  });

  test('before anything was found, and while a session opens', async () => {
    const world = new ChainWorld();
    await world.hosts3();
    const never = {
      directory: { ...world.network.directory('client'), holders: () => new Promise<never>(() => undefined) },
    };
    const abort = new AbortController();
    const opening = world.chain(never, 'client', abort.signal);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    const chain = await world.chain({ prefer });
    world.onMessage((_, __, message) => message.kind !== 'session_init');
    const stop = new AbortController();
    const open = chain.open({ signal: stop.signal });
    await settled();
    stop.abort();
    await expect(world.passing(open)).rejects.toMatchObject({ code: 'aborted' });
    await chain.dispose();
  });
});

test('a hop that has no room is passed over for the next one', async () => {
  const world = new ChainWorld();
  await world.host({ peer: 'a', start: 2, end: 6 });
  await world.host({ peer: 'b', start: 6, end: 12 }, { limits: { sessions: 1 } });
  await world.host({ peer: 'far', start: 6, end: 12 });
  const chains = await Promise.all([1, 2].map(() => world.chain({ prefer: ['a', 'b'] })));
  const sessions = await world.passing(Promise.all(chains.map((chain) => chain.open())));
  const peers = chains.map((chain) => chain.status().hops[1]!.peer);
  expect(peers.sort()).toEqual(['b', 'far']);
  for (const [i, chain] of chains.entries())
    expect(await say(chain, sessions[i]!, PROMPT, 6)).toEqual(await aloneText(PROMPT, 6));
  const third = await world.chain({ prefer: ['a', 'b'] });
  world.network.kill('far');
  await expect(world.passing(third.open())).rejects.toMatchObject({ code: 'no-capacity' });
  for (const chain of [...chains, third]) await chain.dispose();
});

test('a session is as long as those have room for, unless its length was asked for', async () => {
  const world = new ChainWorld();
  await world.host({ peer: 'a', start: 2, end: 12 }, { maxTokens: 200 });
  const chain = await world.chain();
  expect(chain.info).toEqual({ maxTokens: 128, chunkTokens: 128 });
  const session = await chain.open();
  await expect(chain.forward(session, { tokens: Array(129).fill(1) })).rejects.toMatchObject({
    code: 'cache-full',
  });
  await chain.dispose();
  await expect(world.chain({ maxTokens: 256 })).rejects.toMatchObject({ code: 'no-capacity' });
});

test('eight chains at once over the same hops each say their own text', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const texts = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const chain = await world.chain({ prefer }, `client${i}`);
      const session = await chain.open();
      const prompt = PROMPT.map((token) => (token + i) % 32);
      const text = await say(chain, session, prompt, 16);
      expect(text).toEqual(await aloneText(prompt, 16));
      await chain.dispose();
      return text.join();
    }),
  );
  expect(new Set(texts).size).toBeGreaterThan(1);
  expect(world.counters('a').sharedRuns).toBeGreaterThan(0);
});

test('in private mode no token leaves the client, in any message', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const chain = await world.chain({ prefer });
  const kinds = new Set<string>();
  world.onMessage((from, _, message) => {
    if (from !== 'client') return;
    kinds.add(message.kind);
    if (message.kind === 'forward_hidden') expect(message.dtype).toBe('fp32');
    expect('sampling' in message && message.sampling !== undefined).toBe(false);
  });
  const session = await chain.open();
  await chain.forward(session, { tokens: PROMPT }, { sample: greedily(0) });
  await chain.dispose();
  expect([...kinds].sort()).toEqual(['abort_session', 'forward_hidden', 'session_init']);
});

test('a closed chain leaves nothing behind: no session, no cache, no timer, no listener', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  await settled();
  const timers = world.clock.pending;
  const chain = await world.chain({ prefer });
  const sessions = [await chain.open(), await chain.open()];
  await say(chain, sessions[0]!, PROMPT, 4);
  const running = chain.forward(sessions[1]!, { tokens: PROMPT });
  const end = expect(running).rejects.toMatchObject({ code: 'closed' });
  await chain.dispose();
  await end;
  await settled();
  for (const peer of prefer) {
    const { host, diary } = world.hosts.get(peer)!;
    expect(host.status().sessions).toBe(0);
    expect(diary.closed).toBe(diary.opened);
  }
  expect(world.clientDiary.closed).toBe(world.clientDiary.opened);
  expect(world.clock.pending).toBe(timers);
  await expect(chain.open()).rejects.toMatchObject({ code: 'closed' });
  await expect(chain.forward(sessions[0]!, { tokens: [1] })).rejects.toMatchObject({ code: 'closed' });
});

describe('finding', () => {
  test('says which layers nobody holds', async () => {
    const world = new ChainWorld();
    await expect(world.chain()).rejects.toMatchObject({ code: 'no-cover', missing: [{ start: 2, end: 12 }] });
    await world.host({ peer: 'a', start: 4, end: 7 });
    await expect(world.chain()).rejects.toMatchObject({
      code: 'no-cover',
      message: expect.stringContaining('Nobody holds layers 2 to 3 and layers 7 to 11.'),
    });
  });

  test('a record of somebody who does not answer, or speaks another version, is passed over', async () => {
    const world = new ChainWorld();
    await world.hosts3();
    const stale = world.network.join('stale');
    await world.network.directory('stale').announce({ cid: 'cid', layers: 12, start: 2, end: 12 });
    const other = world.network.join('other');
    other.listen({
      frame: (from) =>
        void other.send(
          { peer: from, addrs: [] },
          encodeMessage({
            kind: 'hello',
            peer_id: other.publicKey,
            proto_ver: 2,
            supported_quants: [],
            nonce: 1,
          }),
        ),
      gone: () => undefined,
    });
    const holders = async () => ['stale', 'other', 'a', 'b', 'c'].map((peer) => ({ peer, addrs: [] }));
    const chain = await world.passing(
      world.chain({
        directory: { ...world.network.directory('client'), holders },
      }),
    );
    expect(chain.status().hops.map(({ peer }) => peer)).toEqual(prefer);
    expect(stale.self).toBe('stale');
    await chain.dispose();
  });

  test('a directory that fails, or never answers, ends in words', async () => {
    const world = new ChainWorld();
    const directory = world.network.directory('client');
    const failing = { ...directory, holders: () => Promise.reject(new Error('no relay')) };
    await expect(world.chain({ directory: failing })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no relay'),
    });
    const hanging = { ...directory, holders: () => new Promise<never>(() => undefined) };
    await expect(world.passing(world.chain({ directory: hanging }))).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(world.clock.pending).toBe(0);
  });
});
