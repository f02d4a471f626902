import { afterEach, expect, it } from 'vitest';
import { createHost, newCounters } from '../../src/host/index.ts';
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
import { gaugesOf } from './gauges.ts';
import { createMeters } from './meters.ts';
import { NetworkWatch, type WatchedSwarm } from './network-watch.ts';
import { RecentEvents } from './recent.ts';
import { type SeenHost, Survey } from './survey.ts';

const MODELS = [{ id: 'tiny', cid: CID, name: 'Tiny', layers: LAYERS }];
const id = (name: string) => `12D3KooW${name.padEnd(36, '0')}${name.slice(0, 8).padStart(8, '1')}`;

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

const slices = (...ranges: [number, number][]) => ranges.map(([start, end]) => ({ cid: CID, start, end }));

/** What a watch sees with these hosts and this node. */
function watchOf(survey: () => readonly SeenHost[], swarm: WatchedSwarm | null = null) {
  const meters = createMeters({ gauges: {} });
  const events = new RecentEvents();
  const watch = new NetworkWatch({
    version: '0.1.0',
    url: null,
    draining: () => false,
    models: () => MODELS,
    swarm: () => swarm,
    survey,
    own: () => ({ slices: slices([0, 12]), sessions: 3 }),
    joined: () => [{ peer: id('other'), state: 'connected' }],
    answers: () => ({ running: 1, waiting: 0 }),
    meters,
    events,
  });
  return { watch, meters, events };
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

it('the state counts how many hosts hold each layer, this relay included, once each', () => {
  const seen: SeenHost[] = [
    { peer: id('a'), slices: slices([0, 5], [4, 6]), exact: true, sessions: 1 },
    { peer: id('b'), slices: slices([3, 12]), exact: false, sessions: null },
  ];
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: {
      links: () => [{ peer: id('a'), path: 'websocket', roundTripMs: 12.4, bytesIn: 0, bytesOut: 0 }],
    },
    counts: () => ({ peers: 7, reservations: 5, records: 44, relayedBytes: 1e6 }),
  };
  const { watch } = watchOf(() => seen, swarm);
  const state = watch.state();
  expect(state.models[0]).toMatchObject({ coverage: [2, 2, 2, 3, 3, 3, 2, 2, 2, 2, 2, 2], holders: 3 });
  expect(state.peers).toEqual({ total: 7, hosting: 3, by_path: { websocket: 1 } });
  expect(state.hosts[1]).toMatchObject({ path: 'websocket', round_trip_ms: 12, sessions: 1, exact: true });
  expect([state.reservations, state.records, state.relayed_bytes]).toEqual([5, 44, 1e6]);
});

it('no full id of a tab, no address and no key is in the state', () => {
  const seen = [{ peer: id('secret'), slices: slices([0, 5]), exact: true, sessions: 1 }];
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: { links: () => [] },
    counts: () => ({ peers: 1, reservations: 1, records: 9 }),
  };
  const text = JSON.stringify(watchOf(() => seen, swarm).watch.state());
  expect(text).not.toContain(id('secret'));
  expect(text).toContain(id('secret').slice(-8));
  expect(text).not.toContain(id('other'));
  expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|\/ip[46]\/|\/dns/);
});

it('there are at most 500 hosts in the state, and all of them count', () => {
  const seen = Array.from({ length: 1_200 }, (_, i) => ({
    peer: id(`${i}`),
    slices: slices([0, 12]),
    exact: true,
    sessions: 0,
  }));
  const state = watchOf(() => seen).watch.state();
  expect(state.hosts).toHaveLength(500);
  expect(state.peers.hosting).toBe(1_200);
  expect(state.models[0]?.coverage[3]).toBe(1_200);
});

it('who came and who left, recoveries and errors are the latest events, without names or text', () => {
  let peers = 0;
  const swarm = {
    peer: id('relay'),
    transport: { links: () => [] },
    counts: () => ({ peers, reservations: 0, records: 0 }),
  };
  let now = new Date('2026-03-04T05:06:07Z');
  const events = new RecentEvents(() => now);
  const relay = createMeters({ gauges: {}, onCount: (name, labels, by) => events.counted(name, labels, by) });
  const { watch } = watchOf(() => [], swarm);
  peers = 5;
  watch.state();
  peers = 3;
  expect(watch.state().recent).toMatchObject([
    { kind: 'left', count: 2 },
    { kind: 'joined', count: 5 },
  ]);
  relay.meters.count('shoal_recoveries_total', {});
  relay.meters.count('shoal_errors_total', { room: 'api', code: 'failed' }, 2);
  relay.meters.count('shoal_errors_total', { room: 'api', code: 'failed' });
  relay.meters.count('shoal_errors_total', { room: 'api', code: 'What is my secret question?' });
  relay.meters.count('shoal_answers_total', { route: 'own' });
  expect(events.list().map(({ kind, count, code }) => [kind, count, code])).toEqual([
    ['error', 1, 'other'],
    ['error', 3, 'api/failed'],
    ['recovered', 1, null],
  ]);
  for (let i = 0; i < 200; i++) {
    now = new Date(now.getTime() + 11_000);
    events.add('joined');
  }
  expect(events.list()).toHaveLength(50);
});

it('every gauge of the table can be read from the rooms', async () => {
  const world = new World();
  const { host } = await world.host({ peer: 'a', start: 0, end: 5 });
  const swarm: WatchedSwarm = {
    peer: 'relay',
    transport: { links: () => [{ peer: 'a', path: 'tcp', roundTripMs: 1, bytesIn: 0, bytesOut: 0 }] },
    counts: () => ({ peers: 7, reservations: 5, records: 44, relayedBytes: 1e6 }),
  };
  const relay = createMeters({
    gauges: gaugesOf({
      version: '0.1.0',
      started: new Date(1_700_000_000_000),
      draining: () => true,
      backend: () => 'node-cpu',
      loopDelay: () => 0.25,
      answers: () => ({ running: 2, waiting: 3 }),
      host: () => ({ ...host.status(), counters: { ...newCounters(), computeMs: 1500, decodePositions: 8 } }),
      swarm: () => swarm,
      joined: () => 1,
      models: () => MODELS,
      memoryLimit: () => 4e9,
    }),
  });
  const text = await relay.metricsText();
  for (const sample of [
    'shoal_answers_running 2',
    'shoal_queue_length 3',
    'shoal_host_sessions 0',
    'shoal_host_positions_total{kind="decode"} 8',
    'shoal_host_compute_seconds_total 1.5',
    'shoal_links{path="tcp"} 1',
    'shoal_relayed_bytes_total 1000000',
    'shoal_memory_bytes{kind="limit"} 4000000000',
    'shoal_loop_delay_seconds 0.25',
    'shoal_draining 1',
    'shoal_start_time_seconds 1700000000',
    'shoal_info{version="0.1.0",backend="node-cpu"} 1',
  ])
    expect(text).toContain(`\n${sample}\n`);
  expect(text).toMatch(/\nshoal_host_free_tokens\{model="Tiny"\} [1-9]\d*\n/);
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
