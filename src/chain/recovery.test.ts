import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../wire/index.ts';
import { aloneText, ChainWorld, FRONT, PROMPT, say } from './testing/chain-world.ts';
import type { ChainEvent } from './types.ts';

const COUNT = 24;
/** Every token but the last is fed again. */
const POSITIONS = PROMPT.length + COUNT - 1;

/** Three hops, and others that can stand in for each of them. */
async function withSpares(): Promise<ChainWorld> {
  const world = new ChainWorld();
  await world.hosts3({ peer: 'd', start: 2, end: 8 }, { peer: 'e', start: 5, end: 12 });
  return world;
}

/** Ends a peer when it is about to be sent its n-th frame of a session. */
function killAtFrame(world: ChainWorld, victims: string[], frame: number): void {
  let seen = 0;
  world.onMessage((_, to, message) => {
    if (to !== victims[0] || message.kind !== 'forward_hidden' || ++seen !== frame) return;
    for (const victim of victims) world.network.kill(victim);
  });
}

const prefer = ['a', 'b', 'c'];
const recovered = (event: ChainEvent) => event.type === 'recovered';

describe.each(['a', 'b', 'c'])('hop %s dies', (victim) => {
  test.each([
    ['in the prefill', 2],
    ['with the last chunk', 5],
    ['in the first decode step', 6],
    ['in the middle of the answer', 17],
  ])('%s: same text, and only its layers are computed again', async (_, frame) => {
    for (const privacy of ['private', 'light'] as const) {
      const world = await withSpares();
      if (privacy === 'light') await world.host({ peer: 'z', start: 0, end: 2 });
      const chain = await world.chain({ privacy, prefer: privacy === 'light' ? ['z', ...prefer] : prefer });
      const session = await chain.open();
      killAtFrame(world, [victim], frame);
      const text = await world.passing(say(chain, session, PROMPT, COUNT));
      expect(text).toEqual(await aloneText(PROMPT, COUNT, privacy === 'light'));
      expect(chain.status(session).recoveries).toBe(1);
      for (const survivor of prefer.filter((peer) => peer !== victim)) {
        const { prefillPositions, decodePositions, replayedPositions } = world.counters(survivor);
        expect(prefillPositions + decodePositions).toBe(POSITIONS);
        expect(replayedPositions).toBe(0);
      }
      expect(world.events.filter(recovered)).toMatchObject([{ pauseMs: expect.any(Number) }]);
      await chain.dispose();
    }
  });

  test('between two turns: the next goes on where the session was', async () => {
    const world = await withSpares();
    const chain = await world.chain({ prefer });
    const session = await chain.open();
    const first = await say(chain, session, PROMPT, COUNT);
    world.network.kill(victim);
    const fed = [...PROMPT, ...first.slice(0, -1)];
    const more = [first.at(-1)!, 5, 6, 7, 8];
    const text = await world.passing(say(chain, session, more, 8));
    expect(text).toEqual(await aloneText([...fed, ...more], 8));
    expect(chain.status(session).recoveries).toBe(1);
    await chain.dispose();
  });
});

test.each([[['a', 'b']], [['b', 'c']], [['a', 'c']], [['a', 'b', 'c']]])(
  '%s die at once: same text',
  async (victims) => {
    const world = await withSpares();
    const chain = await world.chain({ prefer });
    const session = await chain.open();
    killAtFrame(world, victims, 9);
    expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
    expect(chain.status(session).recoveries).toBe(victims.length);
    await chain.dispose();
  },
);

test('the backup dies in the replay: the next one takes over', async () => {
  const world = await withSpares();
  await world.host({ peer: 'f', start: 5, end: 8 });
  const chain = await world.chain({ prefer });
  const session = await chain.open();
  let seen = 0;
  let second: string | null = null;
  world.onMessage((_, to, message) => {
    if (message.kind !== 'forward_hidden') return;
    if (to === 'b' && ++seen === 12) world.network.kill('b');
    else if (['d', 'e', 'f'].includes(to) && !second) {
      second = to;
      world.network.kill(to);
    }
  });
  expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
  expect(second).not.toBeNull();
  expect(chain.status(session).recoveries).toBe(2);
  await chain.dispose();
});

test('a neighbour dies while a new hop is being filled: nothing is lost', async () => {
  for (const neighbour of ['a', 'c']) {
    const world = await withSpares();
    await world.host({ peer: 'f', start: 5, end: 8 });
    await world.host({ peer: 'g', start: 2, end: 12 });
    const chain = await world.chain({ prefer });
    const session = await chain.open();
    let seen = 0;
    let late = false;
    world.onMessage((_, to, message) => {
      if (message.kind !== 'forward_hidden') return;
      if (to === 'b' && ++seen === 12) world.network.kill('b');
      else if (['d', 'e', 'f', 'g'].includes(to) && !late) {
        late = true;
        world.network.kill(neighbour);
      }
    });
    expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
    expect(chain.status(session).recoveries).toBe(2);
    await chain.dispose();
  }
});

test('one hop after the other dies, through the whole answer', async () => {
  const world = await withSpares();
  for (const peer of ['f', 'g', 'h', 'i']) await world.host({ peer, start: 2, end: 12 });
  const chain = await world.chain({ prefer });
  const session = await chain.open();
  const text = await world.passing(
    say(chain, session, PROMPT, COUNT, {
      after: (said) => {
        const { hops } = chain.status(session);
        if (said % 4 === 0) world.network.kill(hops[(said / 4) % hops.length]!.peer);
      },
    }),
  );
  expect(text).toEqual(await aloneText(PROMPT, COUNT));
  await chain.dispose();
});

test('a peer that is a hop already takes over its neighbours when nobody else can', async () => {
  const world = new ChainWorld();
  await world.host({ peer: 'tab', start: 2, end: 7 });
  await world.host({ peer: 'relay', start: 0, end: 12 });
  const chain = await world.chain({ prefer: ['tab', 'relay'] });
  const session = await chain.open();
  expect(chain.status(session).hops.map(({ peer }) => peer)).toEqual(['tab', 'relay']);
  killAtFrame(world, ['tab'], 12);
  expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
  expect(chain.status(session).hops).toMatchObject([{ peer: 'relay', start: FRONT, end: 12 }]);
  await chain.dispose();
});

test('layers that nobody holds any more are run here when that is possible', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const own = world.join('client');
  const asked: unknown[] = [];
  const chain = await world.chain({
    prefer,
    runLocally: async ({ start, end }) => {
      asked.push({ start, end });
      await own.host.lend(world.slice(own.diary, start, end));
      return true;
    },
  });
  const session = await chain.open();
  killAtFrame(world, ['b'], 12);
  expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
  expect(asked).toEqual([{ start: 5, end: 8 }]);
  expect(chain.status(session).hops[1]).toMatchObject({ peer: 'client', path: 'local' });
  await chain.dispose();
});

test('when nobody can take over, the error names the layers, and the session goes on once somebody can', async () => {
  const world = new ChainWorld();
  await world.hosts3();
  const chain = await world.chain({ prefer, limits: { openMs: 3000 } });
  const session = await chain.open();
  const said = await say(chain, session, PROMPT, 4);
  world.network.kill('b');
  const next = { tokens: [said.at(-1)!] };
  await expect(world.passing(chain.forward(session, next))).rejects.toMatchObject({
    code: 'no-cover',
    missing: [{ start: 5, end: 8 }],
    message: expect.stringContaining('Nobody holds layers 5 to 7'),
  });
  await world.host({ peer: 'd', start: 5, end: 8 });
  const more = await world.passing(say(chain, session, next.tokens, 4));
  expect([...said, ...more]).toEqual(await aloneText(PROMPT, 8));
  await chain.dispose();
});

test('a link that breaks between two hops that live is made anew, and nobody is replaced', async () => {
  const world = await withSpares();
  const chain = await world.chain({ prefer });
  const session = await chain.open();
  let seen = 0;
  world.onMessage((from, to, message) => {
    if (from !== 'a' || to !== 'b' || message.kind !== 'forward_hidden' || ++seen !== 12) return;
    world.network.find('a')!.lose('b', 'the link broke');
    return false;
  });
  expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
  expect(chain.status(session).hops.map(({ peer }) => peer)).toEqual(prefer);
  expect(chain.status(session).recoveries).toBe(0);
  await chain.dispose();
});

describe('without any sign of death', () => {
  test.each(['a', 'b', 'c'])('hop %s goes silent: after the deadline it is replaced', async (victim) => {
    const world = await withSpares();
    const chain = await world.chain({ prefer, limits: { stepMs: 2000 } });
    const session = await chain.open();
    let silent = false;
    let seen = 0;
    world.onMessage((from, to, message) => {
      if (to === victim && message.kind === 'forward_hidden' && ++seen === 12) silent = true;
      if (silent && (to === victim || from === victim)) return false;
    });
    expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(await aloneText(PROMPT, COUNT));
    expect(chain.status(session).recoveries).toBe(1);
    await chain.dispose();
  });

  test('a frame is lost on the way: the link is made anew and nobody is replaced', async () => {
    for (const [from, to] of [
      ['client', 'a'],
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'client'],
    ]) {
      for (const frame of [2, 12]) {
        const world = await withSpares();
        const chain = await world.chain({ prefer, limits: { stepMs: 2000 } });
        const session = await chain.open();
        let seen = 0;
        world.onMessage((sender, receiver, message) => {
          if (sender !== from || receiver !== to || message.kind !== 'forward_hidden') return;
          if (++seen === frame) return false;
        });
        expect(await world.passing(say(chain, session, PROMPT, COUNT))).toEqual(
          await aloneText(PROMPT, COUNT),
        );
        expect(chain.status(session).recoveries).toBe(0);
        await chain.dispose();
      }
    }
  });

  test('a hop that answers questions but computes nothing is replaced', async () => {
    const world = await withSpares();
    const chain = await world.chain({ prefer, limits: { stepMs: 2000 } });
    const session = await chain.open();
    const said = await say(chain, session, PROMPT, 6);
    for (const engine of world.hosts.get('b')!.diary.engines) engine.gate = new Promise(() => undefined);
    const more = await world.passing(say(chain, session, [said.at(-1)!], 6));
    expect([...said, ...more]).toEqual(await aloneText(PROMPT, 12));
    expect(chain.status(session).recoveries).toBe(1);
    expect(chain.status(session).hops.map(({ peer }) => peer)).not.toContain('b');
    await chain.dispose();
  });
});

test('a hop whose output is no number is found out, and the text is right', async () => {
  for (const victim of ['a', 'b', 'c']) {
    const world = await withSpares();
    const chain = await world.chain({ prefer });
    const session = await chain.open();
    const said = await say(chain, session, PROMPT, 6);
    world.network.tap = (from, _, body) => {
      // The last values of a frame of hidden states, which are never NaN where an honest program sent them.
      if (from === victim) poison(body);
      return true;
    };
    const more = await world.passing(say(chain, session, [said.at(-1)!], 6));
    expect([...said, ...more]).toEqual(await aloneText(PROMPT, 12));
    expect(chain.status(session).hops.map(({ peer }) => peer)).not.toContain(victim);
    await chain.dispose();
  }
});

/** Overwrites the payload of a frame of hidden states with NaN. */
function poison(body: Uint8Array): void {
  const message = decodeMessage(body);
  if (message.kind !== 'forward_hidden') return;
  const bad = encodeMessage({ ...message, payload: new Uint8Array(message.payload.length).fill(0xff) });
  body.set(bad.subarray(4));
}
