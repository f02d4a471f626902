import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changed, partsIn } from './map-change.ts';
import { serverEvents } from './map-stream.ts';
import { told } from './map-told.ts';

const RELAY = '12D3KooWRelayRelayRelayRelayRelayRELAYxyz';
const state = (more: Record<string, unknown> = {}) => ({
  at: '2026-03-04T12:34:56.000Z',
  relay: { peer: RELAY },
  models: [{ cid: 'bafy', name: 'Tiny', layers: 4, coverage: [0, 1, 2, 3], client_layers: 2 }],
  peers: { total: 9 },
  hosts: [
    { peer: 'RELAYxyz', self: true, layers: [{ cid: 'bafy', start: 0, end: 2 }], sessions: 1 },
    { peer: 'aaaaaaaa', layers: [{ cid: 'bafy', start: 1, end: 4 }], sessions: 2 },
  ],
  clients: ['bbbbbbbb'],
  relays: [
    { peer: 'cccccccc', state: 'connected' },
    { peer: 'dddddddd', state: 'gone' },
  ],
  links: [{ from: 'aaaaaaaa', to: 'bbbbbbbb', path: 'direct', round_trip_ms: 12 }],
  answers: { running: 3 },
  ...more,
});

it('what the relay tells becomes peers, links and models', () => {
  expect(told(state())).toEqual({
    relay: RELAY,
    at: Date.parse('2026-03-04T12:34:56.000Z'),
    peers: [
      { id: 'RELAYxyz', kind: 'relay', layers: [{ cid: 'bafy', start: 0, end: 2 }], sessions: 1 },
      { id: 'aaaaaaaa', kind: 'host', layers: [{ cid: 'bafy', start: 1, end: 4 }], sessions: 2 },
      { id: 'cccccccc', kind: 'relay', layers: [], sessions: null },
      { id: 'bbbbbbbb', kind: 'client', layers: [], sessions: null },
    ],
    links: [{ from: 'aaaaaaaa', to: 'bbbbbbbb', path: 'direct', roundTripMs: 12 }],
    models: [{ cid: 'bafy', name: 'Tiny', layers: 4, coverage: [0, 1, 2, 3], clientLayers: 2 }],
    total: 10,
    running: 6,
  });
});

it('whatever a relay tells, nothing in the picture has another type or is longer than its cap', () => {
  const odd = fc.anything({ maxDepth: 4 });
  const parts = ['at', 'relay', 'models', 'peers', 'hosts', 'clients', 'links', 'relays', 'answers', 'lists'];
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...parts), fc.oneof(odd, fc.array(odd))),
      fc.dictionary(fc.constantFrom(...parts), odd),
      (first, change) => {
        const { peers, links, models, total, running, at } = told(changed(state(first), change));
        for (const { id, layers, sessions } of peers) {
          expect(id).toMatch(/^[a-zA-Z0-9]{1,16}$/);
          expect(sessions === null || Number.isInteger(sessions)).toBe(true);
          for (const { start, end } of layers) expect(start).toBeLessThan(end);
        }
        for (const { roundTripMs } of links) expect(Number(roundTripMs)).toBeGreaterThanOrEqual(0);
        for (const { layers, coverage } of models) expect(coverage).toHaveLength(layers);
        for (const number of [total, running, at]) expect(Number.isFinite(number)).toBe(true);
      },
    ),
  );
});

it('a flood of peers, links and layers is cut to what a picture takes', () => {
  const clients = Array.from({ length: 50_000 }, (_, i) => `c${i}`);
  const links = clients.map((from) => ({ from, to: 'aaaaaaaa', path: 'direct', round_trip_ms: 1e99 }));
  const models = Array.from({ length: 500 }, (_, i) => ({
    cid: `m${i}`,
    name: 'x'.repeat(9_999),
    layers: 1e6,
  }));
  const seen = told(
    state({ clients, links, models: [...models, { cid: 'ok', name: 'y'.repeat(999), layers: 3 }] }),
  );
  expect(seen.peers).toHaveLength(2_000);
  expect(seen.links).toHaveLength(8_000);
  expect(seen.links[0]?.roundTripMs).toBeNull();
  expect(seen.models).toEqual([]);
  const [model] = told(state({ models: [{ cid: 'ok', name: 'y'.repeat(999), layers: 3 }] })).models;
  expect(model).toMatchObject({ name: 'y'.repeat(120), coverage: [0, 0, 0] });
});

it('a change is put over the state, and a long list is changed where it says', () => {
  const lists = {
    links: {
      put: [{ from: 'aaaaaaaa', to: 'RELAYxyz', path: 'websocket', round_trip_ms: 1 }],
      gone: ['aaaaaaaa bbbbbbbb'],
    },
    clients: { put: ['eeeeeeee'], gone: ['bbbbbbbb'] },
    hosts: { put: [], gone: ['aaaaaaaa'] },
  };
  const next = told(changed(state(), { peers: { total: 4 }, lists }));
  expect(next.peers.map(({ id }) => id)).toEqual(['RELAYxyz', 'cccccccc', 'eeeeeeee']);
  expect(next.links.map(({ to }) => to)).toEqual(['RELAYxyz']);
  expect(next.total).toBe(5);
});

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

it('events are read whole, in whatever pieces they come, and one that is too long ends the stream', async () => {
  const text =
    'retry: 3000\n\nevent: state\ndata: {"a":"ü"}\n\n: here\n\nevent: change\r\ndata: {}\r\n\r\nevent: cut';
  const bytes = new TextEncoder().encode(text);
  const pieces = (size: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
  for (const size of [1, 2, 7, 1_000]) {
    const seen = await all(serverEvents(pieces(size), 100));
    expect(seen.filter(({ event }) => event)).toEqual([
      { event: 'state', data: '{"a":"ü"}' },
      { event: 'change', data: '{}' },
    ]);
    expect(seen).toHaveLength(4);
  }
  await expect(all(serverEvents(pieces(3), 20))).rejects.toMatchObject({ code: 'unreachable' });
  expect(partsIn('[1]')).toBeNull();
  expect(partsIn('{"cut":')).toBeNull();
});
