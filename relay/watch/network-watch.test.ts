import { expect, it } from 'vitest';
import { newCounters } from '../../src/host/index.ts';
import { World } from '../../src/host/testing/world.ts';
import { gaugesOf } from './gauges.ts';
import { createMeters } from './meters.ts';
import type { WatchedSwarm } from './network-watch.ts';
import { RecentEvents } from './recent.ts';
import type { SeenHost } from './survey.ts';
import { id, MODELS, slices, watchOf } from './testing/network-watch.ts';

it('the state counts how many hosts hold each layer, this relay included, once each', () => {
  const seen: SeenHost[] = [
    { peer: id('a'), slices: slices([0, 5], [4, 6]), exact: true, sessions: 1, links: [] },
    { peer: id('b'), slices: slices([3, 12]), exact: false, sessions: null, links: [] },
  ];
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: {
      links: () => [{ peer: id('a'), path: 'websocket', roundTripMs: 12.4, bytesIn: 0, bytesOut: 0 }],
    },
    connected: () => [],
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
  const path = 'direct' as const;
  const links = [{ peer: id('asker'), path, round_trip_ms: 3 }];
  const seen = [{ peer: id('secret'), slices: slices([0, 5]), exact: true, sessions: 1, links }];
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: { links: () => [] },
    connected: () => [id('asker'), id('secret')].map((peer) => ({ peer, path, roundTripMs: null })),
    counts: () => ({ peers: 1, reservations: 1, records: 9 }),
  };
  const text = JSON.stringify(watchOf(() => seen, swarm).watch.state());
  expect(text).not.toContain(id('secret'));
  expect(text).toContain(id('secret').slice(-8));
  expect(text).toContain(id('asker').slice(-8));
  expect(text).not.toContain(id('asker'));
  expect(text).not.toContain(id('other'));
  expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|\/ip[46]\/|\/dns/);
});

it('there are at most 500 hosts in the state, and all of them count', () => {
  const seen = Array.from({ length: 1_200 }, (_, i) => ({
    peer: id(`${i}`),
    slices: slices([0, 12]),
    exact: true,
    sessions: 0,
    links: [],
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
    connected: () => [],
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
    connected: () => [],
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

it('who is linked to whom is told once for each pair, by what this relay and the hosts say of themselves', () => {
  const report = (name: string, ms: number | null) => ({
    peer: id(name),
    path: 'direct' as const,
    round_trip_ms: ms,
  });
  const seen: SeenHost[] = [
    {
      peer: id('a'),
      slices: slices([0, 5]),
      exact: true,
      sessions: 0,
      links: [report('b', null), report('relay', 1), report('nobody', 1), report('a', 1)],
    },
    {
      peer: id('b'),
      slices: slices([5, 12]),
      exact: true,
      sessions: 0,
      links: [report('a', 7.6), report('c', 20)],
    },
  ];
  let trip: number | null = 12.4;
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: {
      links: () => [{ peer: id('a'), path: 'websocket', roundTripMs: trip, bytesIn: 0, bytesOut: 0 }],
    },
    connected: () => [
      { peer: id('a'), path: 'websocket', roundTripMs: 90 },
      { peer: id('b'), path: 'websocket', roundTripMs: null },
      { peer: id('c'), path: 'tcp', roundTripMs: 30 },
      { peer: id('other'), path: 'tcp', roundTripMs: 2 },
    ],
    counts: () => ({ peers: 4, reservations: 0, records: 0 }),
  };
  const { watch } = watchOf(() => seen, swarm);
  const link = (from: string, to: string, path: string, ms: number | null) => ({
    from: id(from).slice(-8),
    to: id(to).slice(-8),
    path,
    round_trip_ms: ms,
  });
  const { links, clients } = watch.state();
  expect(links).toEqual([
    link('relay', 'a', 'websocket', 12),
    link('relay', 'b', 'websocket', null),
    link('a', 'b', 'direct', 8),
    link('b', 'c', 'direct', 20),
    link('relay', 'c', 'tcp', 30),
    link('relay', 'other', 'tcp', 2),
  ]);
  expect(clients, 'another relay only connects others').toEqual([id('c').slice(-8)]);
  trip = 15;
  expect(watch.state().links[0]?.round_trip_ms, 'jitter is not told').toBe(12);
  trip = null;
  expect(watch.state().links[0]?.round_trip_ms).toBe(90);
  trip = 40;
  expect(watch.state().links[0]?.round_trip_ms).toBe(40);
});

it('there are at most 2,000 links and 500 clients in the state, and every host has its share', () => {
  const reports = (i: number) =>
    Array.from({ length: 64 }, (_, rank) => ({
      peer: id(`h${(i + rank + 1) % 500}`),
      path: 'direct' as const,
      round_trip_ms: rank,
    }));
  const seen = Array.from({ length: 500 }, (_, i) => ({
    peer: id(`h${i}`),
    slices: slices([0, 12]),
    exact: true,
    sessions: 0,
    links: reports(i),
  }));
  const names = [...seen.map(({ peer }) => peer), ...Array.from({ length: 900 }, (_, i) => id(`c${i}`))];
  const swarm: WatchedSwarm = {
    peer: id('relay'),
    transport: { links: () => [] },
    connected: () => names.map((peer) => ({ peer, path: 'websocket', roundTripMs: null })),
    counts: () => ({ peers: names.length, reservations: 0, records: 0 }),
  };
  const { watch } = watchOf(() => seen, swarm);
  const state = watch.state();
  expect(state.links).toHaveLength(2_000);
  expect(state.clients).toHaveLength(500);
  const of = (peer: string) => state.links.filter(({ from, to }) => from === peer || to === peer).length;
  const fewest = Math.min(...seen.map(({ peer }) => of(peer.slice(-8))));
  expect(fewest, 'one to the relay, and some to others').toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(state).length).toBeLessThan(512 * 1024);
});
