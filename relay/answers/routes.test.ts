import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/wire/index.ts';
import { AnswersWorld, failure, LAYERS, question, RELAY, read, Shelved } from './testing/answers-world.ts';

let shelf: Shelved;
beforeAll(async () => {
  shelf = await Shelved.open();
}, 300_000);
afterAll(() => shelf.close());

const PATIENCE = 300_000;

describe('the own route', () => {
  it(
    'says what the whole model says, and nothing leaves this peer',
    async () => {
      const world = await AnswersWorld.start(shelf);
      await world.tabs();
      const asked = question('Who are you?', { route: 'own' });
      const { text, routes, done, tokens } = await read(world, asked);
      expect(text).toBe(await shelf.alone(asked));
      expect(tokens).toHaveLength(24);
      expect(routes).toEqual([
        {
          type: 'route',
          route: 'own',
          hops: [expect.objectContaining({ peer: RELAY, start: 0, end: 6, path: 'local' })],
        },
      ]);
      expect(done).toMatchObject({ reason: 'length', usage: { cached: 0, completion: 24 }, recoveries: 0 });
      expect(done.timings.firstTokenMs).toBeGreaterThan(0);
      expect(done.timings.computeMs).toBeGreaterThan(0);
      const sent = world.network.find(RELAY)!.sent.filter(({ to }) => to !== RELAY);
      expect(sent.map(({ frame }) => decodeMessage(frame.slice(4)).kind)).toEqual([]);
      expect(world.metric('shoal_answers_total', { route: 'own' })).toBe(1);
      expect(world.metric('shoal_first_token_seconds', { route: 'own' })).toBe(1);
      expect(world.metric('shoal_step_seconds', { route: 'own' })).toBe(23);
      expect(world.metric('shoal_hop_seconds', { path: 'local' })).toBe(23);
    },
    PATIENCE,
  );

  it(
    'needs the whole model on the own host, and says which layers are missing',
    async () => {
      const world = await AnswersWorld.start(shelf, { own: { start: 2, end: 6 } });
      expect(await failure(world, question('hi', { route: 'own' }))).toMatchObject({
        name: 'AnswerError',
        code: 'no-peers',
        message: expect.stringContaining('layers 0 to 1'),
      });
      expect(world.metric('shoal_errors_total', { room: 'answers', code: 'no-peers' })).toBe(1);
    },
    PATIENCE,
  );
});

describe('the network route', () => {
  it(
    'runs through the tabs, keeps the tokens here, and says the same',
    async () => {
      const world = await AnswersWorld.start(shelf);
      await world.tabs();
      const asked = question('Who are you?', { route: 'network' });
      const { text, routes } = await read(world, asked);
      expect(text).toBe(await shelf.alone(asked));
      expect(routes).toHaveLength(1);
      expect(routes[0]!.hops.map(({ peer, start, end }) => [peer, start, end])).toEqual([
        ['tab1', 2, 3],
        ['tab2', 3, 5],
        ['tab3', 5, 6],
      ]);
      // The own host could take the place of each.
      expect(routes[0]!.hops.map(({ backups }) => backups)).toEqual([1, 1, 1]);
      const kinds = world.network
        .find(RELAY)!
        .sent.filter(({ to }) => to !== RELAY)
        .map(({ frame }) => decodeMessage(frame.slice(4)))
        .flatMap((message) => (message.kind === 'forward_hidden' ? [message.dtype] : []));
      expect(new Set(kinds)).toEqual(new Set(['fp32']));
      expect(world.counters().opened).toBe(0);
      expect(world.metric('shoal_hop_seconds', { path: 'direct' })).toBe(3 * 23);
    },
    PATIENCE,
  );

  it(
    'runs here what nobody shares: first what is lent, then what can be loaded',
    async () => {
      const lent = await AnswersWorld.start(shelf, { own: { start: 3, end: 6 } });
      await lent.host('tab1', { start: 2, end: 3 });
      const asked = question('What is missing?', { route: 'network' });
      const expected = await shelf.alone(asked);
      const first = await read(lent, asked);
      expect(first.text).toBe(expected);
      expect(first.routes[0]!.hops.map(({ peer }) => peer)).toEqual(['tab1', RELAY]);

      const ranges: unknown[] = [];
      const world: AnswersWorld = await AnswersWorld.start(shelf, {
        own: null,
        runLocally: async (_cid, range) => {
          ranges.push(range);
          await world.lend(world.hosts.get(RELAY)!, range, { ownUse: true });
          return true;
        },
      });
      await world.host('tab1', { start: 2, end: 4 });
      const second = await read(world, asked);
      expect(second.text).toBe(expected);
      expect(second.routes[0]!.hops.map(({ peer }) => peer)).toEqual(['tab1', RELAY]);
      expect(ranges).toEqual([{ start: 4, end: 6 }]);
    },
    PATIENCE,
  );

  it.each([
    ['one tab after another', ['tab2', 'tab1', 'tab3']],
    ['all at once', ['tab1 tab2 tab3']],
  ])(
    'loses %s in mid-answer: the own slices go on, same text',
    async (_name, losses) => {
      const world = await AnswersWorld.start(shelf);
      await world.tabs();
      const asked = question('Are you still there?', { route: 'network' });
      const { text, routes, done } = await read(world, asked, {
        after: (tokens) => {
          const lost = losses[tokens / 4 - 1];
          for (const tab of lost?.split(' ') ?? []) world.network.kill(tab);
        },
      });
      expect(text).toBe(await shelf.alone(asked));
      expect(done.recoveries).toBeGreaterThan(0);
      expect(routes.length).toBeGreaterThan(1);
      expect(routes.at(-1)!.hops.map(({ peer }) => peer)).toEqual([RELAY]);
      expect(world.metric('shoal_recoveries_total')).toBe(done.recoveries);
    },
    PATIENCE,
  );

  it(
    'names the layers that nobody holds',
    async () => {
      const world = await AnswersWorld.start(shelf, { own: null });
      await world.host('tab1', { start: 2, end: 4 });
      expect(await failure(world, question('hi', { route: 'network' }))).toMatchObject({
        code: 'no-peers',
        message: expect.stringContaining('layers 4 to 5'),
      });
    },
    PATIENCE,
  );
});

describe('the automatic route', () => {
  it(
    'is the own slices while nobody shares, and the network as soon as somebody does',
    async () => {
      const world = await AnswersWorld.start(shelf);
      const asked = question('Where do you run?');
      const alone = await read(world, asked);
      expect(alone.routes[0]!.route).toBe('own');
      await world.host('tab1', { start: 2, end: 4 });
      const shared = await read(world, { ...asked, client: 'two' });
      expect(shared.routes[0]!.route).toBe('network');
      expect(shared.routes[0]!.hops.map(({ peer }) => peer)).toEqual(['tab1', RELAY]);
      expect(shared.text).toBe(alone.text);
      world.network.kill('tab1');
      const again = await read(world, { ...asked, client: 'three' });
      expect(again.routes[0]!.route).toBe('own');
      expect(again.text).toBe(alone.text);
    },
    PATIENCE,
  );

  it(
    'is the own slices where those who are named do not answer, or take nobody',
    async () => {
      const world = await AnswersWorld.start(shelf);
      // Published, and then the tab went away without a word.
      await world.network
        .directory('ghost')
        .announce({ cid: shelf.served.cid, start: 2, end: 4, layers: LAYERS });
      const asked = question('Anybody there?');
      expect((await read(world, asked)).routes[0]!.route).toBe('own');
      const leaving = await world.host('tab1', { start: 2, end: 4 });
      const busy = world.answers.ask(
        { ...asked, route: 'network', client: 'two' },
        new AbortController().signal,
      );
      await busy.next();
      const drained = leaving.drain(shelf.served.cid, { start: 2, end: 4 });
      // It still answers, and has a record again: of a peer that takes no more.
      await world.network
        .directory('tab1')
        .announce({ cid: shelf.served.cid, start: 2, end: 4, layers: LAYERS });
      expect((await read(world, { ...asked, client: 'three' })).routes[0]!.route).toBe('own');
      await busy.return();
      await world.answers.close();
      await drained;
    },
    PATIENCE,
  );

  it(
    'is the network where the own host has not the whole model',
    async () => {
      const world = await AnswersWorld.start(shelf, { own: { start: 3, end: 6 } });
      await world.host('tab1', { start: 2, end: 3 });
      expect((await read(world, question('x'))).routes[0]!.route).toBe('network');
    },
    PATIENCE,
  );

  it(
    'falls back to the own slices when the network cannot begin',
    async () => {
      const world = await AnswersWorld.start(shelf, { limits: { memory: 1_000 } });
      await world.tabs();
      const asked = question('Anybody?');
      // No memory for the ends that the network route runs here.
      expect(await failure(world, { ...asked, route: 'network' })).toMatchObject({ code: 'busy' });
      const { text, routes } = await read(world, asked);
      expect(routes.map(({ route }) => route)).toEqual(['own']);
      expect(text).toBe(await shelf.alone(asked));
    },
    PATIENCE,
  );
});
