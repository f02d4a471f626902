import { afterEach, expect, it } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { CID } from '../../src/host/testing/hand-client.ts';
import { LAYERS, World } from '../../src/host/testing/world.ts';
import {
  type Directory,
  gridCells,
  systemClock,
  type Transport,
  type TransportListener,
} from '../../src/swarm/index.ts';
import { createNodeSwarm } from '../../src/swarm/node.ts';
import { startRelay } from '../../src/swarm/testing/relay.ts';
import { decodeMessage, encodeMessage, type Offer } from '../../src/wire/index.ts';
import { type SeenHost, Survey } from './survey.ts';
import { MODELS, slices, watchOf } from './testing/network-watch.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A relay among the hosts of a world, that looks when it is told to. */
function relayIn(world: World, directory?: Directory) {
  const { transport } = world.join('relay');
  const survey = new Survey({
    transport,
    directory: directory ?? world.network.directory('relay'),
    clock: world.clock,
    agent: 'test/1',
    models: () => MODELS,
  });
  closing.push(() => survey.stop());
  return { survey, transport, hosts: () => byPeer(survey.hosts()) };
}

function byPeer(hosts: readonly SeenHost[]) {
  return Object.fromEntries(hosts.map(({ peer, slices, exact }) => [peer, { slices, exact }]));
}

it('hosts are asked what exactly they hold, and a host that is gone is not seen any more', async () => {
  const world = new World();
  const { survey, hosts } = relayIn(world);
  await world.host({ peer: 'a', start: 0, end: 5 });
  const { host } = await world.host({ peer: 'b', start: 3, end: 12 });
  await survey.look();
  expect(hosts()).toEqual({
    a: { slices: slices([0, 5]), exact: true },
    b: { slices: slices([3, 12]), exact: true },
  });
  world.network.kill('a');
  await host.drain(CID, { start: 3, end: 12 });
  await survey.look();
  expect(hosts()).toEqual({});
});

it('for a host that is silent, the cells of its records are taken; the others are not held up', async () => {
  const world = new World();
  const { survey, hosts } = relayIn(world);
  await world.host({ peer: 'a', start: 0, end: 5 });
  world.network.join('mute');
  await world.network.directory('mute').announce({ cid: CID, layers: LAYERS, start: 3, end: 5 });
  const looked = survey.look();
  await world.clock.advance(10);
  expect(Object.keys(hosts()), 'seen at once, before anybody answered').toEqual(['a', 'mute']);
  await world.clock.advance(3_000);
  await looked;
  const cells = gridCells(LAYERS).filter(({ start, end }) => start < 5 && end > 3);
  const held = slices([cells[0]!.start, cells.at(-1)!.end]);
  expect(hosts()).toEqual({
    a: { slices: slices([0, 5]), exact: true },
    mute: { slices: held, exact: false },
  });
});

it('a host is asked every five seconds, one that is silent every thirty', async () => {
  const world = new World();
  const { survey, transport } = relayIn(world);
  await world.host({ peer: 'a', start: 0, end: 5 });
  world.network.join('mute');
  await world.network.directory('mute').announce({ cid: CID, layers: LAYERS, start: 0, end: 2 });
  survey.start();
  await world.clock.advance(50_000);
  const asked = (peer: string) => transport.sent.filter(({ to }) => to === peer).length;
  // A look that waits for the silent one takes three seconds.
  expect(asked('a')).toBeGreaterThanOrEqual(8);
  expect(asked('a')).toBeLessThanOrEqual(11);
  expect(asked('mute')).toBe(2);
  survey.stop();
  await world.clock.advance(5_000);
  expect(asked('a')).toBeLessThanOrEqual(11);
});

it('offers that lie about the model count for nothing', async () => {
  const world = new World();
  const { survey, hosts } = relayIn(world);
  const liar = world.network.join('liar');
  await world.network.directory('liar').announce({ cid: CID, layers: LAYERS, start: 0, end: 12 });
  const { transport } = await world.host({ peer: 'a', start: 0, end: 5 });
  const honest = transport.sent.length;
  await Promise.all([survey.look(), world.clock.advance(3_000)]);
  // The words of an honest hello, with ranges that cannot be.
  const answer = decodeMessage(transport.sent[honest]!.frame.slice(4));
  if (answer.kind !== 'hello') throw new Error('No hello came.');
  const offer = answer.offers![0]!;
  const offers: Offer[] = [
    { ...offer, start: 0, end: 60_000 },
    { ...offer, start: 5, end: 6, draining: true },
    { ...offer, cid: 'another', start: 0, end: 1 },
    { ...offer, start: 7, end: 8 },
  ];
  liar.listen({
    frame(from, body) {
      const hello = decodeMessage(body);
      if (hello.kind !== 'hello' || !hello.ask) return;
      void liar.send({ peer: from, addrs: [] }, encodeMessage({ ...answer, nonce: hello.nonce, offers }));
    },
    gone() {},
  });
  await world.clock.advance(31_000);
  await survey.look();
  expect(hosts().liar).toEqual({ slices: slices([7, 8]), exact: true });
});

it('a directory that hangs, fails or lists thousands costs a bounded time and a bounded number of questions', async () => {
  const world = new World();
  let holders: Directory['holders'] = () => new Promise(() => {});
  const directory = {
    ...world.network.directory('relay'),
    holders: (...args: Parameters<typeof holders>) => holders(...args),
  };
  const { survey, hosts } = relayIn(world, directory as Directory);
  const late = survey.look();
  await world.clock.advance(4_000);
  await late;
  expect(hosts()).toEqual({});
  holders = async () => {
    throw new Error('no relay');
  };
  await survey.look();
  holders = async () => Array.from({ length: 5_000 }, (_, i) => ({ peer: `p${i}`, addrs: [] }));
  for (let second = 0; second < 40; second++) {
    await survey.look();
    await world.clock.advance(1_000);
  }
  expect(survey.hosts()).toHaveLength(2_000);
});

it('no more than 256 peers are linked for it, however many there are', async () => {
  const world = new World();
  const peers = new Set<string>();
  let listener: TransportListener | null = null;
  const transport: Transport = Object.assign(Object.create(world.network.join('relay')), {
    listen(given: TransportListener) {
      listener = given;
      return () => {};
    },
    // Each odd one is silent, as a host at another relay would be.
    async send({ peer }: { peer: string }, frame: Uint8Array) {
      const hello = decodeMessage(frame.slice(4));
      if (hello.kind !== 'hello' || Number(peer.slice(1)) % 2 === 1) return;
      peers.add(peer);
      listener?.frame(peer, encodeMessage({ ...hello, ask: false, offers: [] }).slice(4));
    },
  });
  const everybody = Array.from({ length: 1_000 }, (_, i) => ({ peer: `p${i}`, addrs: [] }));
  const directory = { holders: async () => everybody } as unknown as Directory;
  const survey = new Survey({
    transport,
    directory,
    clock: world.clock,
    agent: 'test/1',
    models: () => MODELS,
  });
  survey.start();
  await world.clock.advance(300_000);
  survey.stop();
  expect(peers.size).toBe(256);
});

it('over real sockets: a peer that lends at this relay is seen, asked and forgotten', {
  timeout: 120_000,
}, async () => {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const swarm = await createNodeSwarm({ relays: [relay.address] });
  closing.push(() => swarm.close('the test is over'));
  await swarm.ready;
  const { transport, directory, clock } = swarm;
  const host = createHost({ transport, directory, clock, agent: 'test/1' });
  closing.push(() => host.close('the test is over'));
  const world = new World();
  await host.lend(world.slice(world.join('nobody').diary, 3, 9));
  const survey = new Survey({
    transport: relay.swarm.transport,
    directory: relay.swarm.directory,
    clock: systemClock,
    agent: 'test/1',
    models: () => MODELS,
  });
  closing.push(() => survey.stop());
  await survey.look();
  expect(byPeer(survey.hosts())).toEqual({ [swarm.peer]: { slices: slices([3, 9]), exact: true } });
  const { watch } = watchOf(() => survey.hosts(), relay.swarm);
  const state = watch.state();
  expect(state.peers).toMatchObject({ total: 1, hosting: 2, by_path: { websocket: 1 } });
  expect(state.hosts[1]).toMatchObject({ peer: swarm.peer.slice(-8), path: 'websocket' });
  await host.close('enough');
  await swarm.close('enough');
  while (survey.hosts().length > 0) {
    // A look at the relay's own records takes no input from the network, which must have its turn.
    await new Promise((resolve) => setImmediate(resolve));
    await survey.look();
  }
});
