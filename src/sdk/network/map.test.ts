import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { NO_NETWORK } from '../idle-state.ts';
import { Cell } from '../observable.ts';
import { watchMap } from './map.ts';
import type { NetworkMap, NetworkSnapshot } from './types.ts';

const SELF = '12D3KooWSelfSelfSelfSelfSelfSelfSELFself';
const RELAY = '12D3KooWRelayRelayRelayRelayRelaRELAYxyz';
const HOST = '12D3KooWHostHostHostHostHostHostHostHOST';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const own: NetworkSnapshot = {
  ...NO_NETWORK,
  state: 'online',
  relay: 'connected',
  self: { peer: SELF, addresses: [], sharing: null },
  relays: [RELAY],
  links: [
    { peer: RELAY, path: 'websocket', roundTripMs: 4, bytesIn: 0, bytesOut: 0 },
    { peer: HOST, path: 'direct', roundTripMs: null, bytesIn: 0, bytesOut: 0 },
  ],
  peers: [{ peer: HOST, agent: 'shoal', self: false, offers: [] }],
};
const told = (clients: string[], more: object = {}) => ({
  relay: { peer: RELAY },
  peers: { total: clients.length },
  hosts: [{ peer: 'HostHOST', layers: [{ cid: 'm', start: 0, end: 2 }], sessions: 0 }],
  clients,
  links: [{ from: 'HostHOST', to: 'SELFself', path: 'direct', round_trip_ms: 9 }],
  ...more,
});

/** A relay whose words are the test's; each watcher that came is given to it. */
async function relay(busy = () => false) {
  const waiting: ((watcher: ServerResponse) => void)[] = [];
  const come: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/v1/network') {
      const text = JSON.stringify(told(['asked']));
      response.writeHead(200, { 'Content-Length': text.length }).end(text);
    } else if (busy()) response.writeHead(503).end();
    else {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 1\n\n');
      const take = waiting.shift();
      if (take) take(response);
      else come.push(response);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  closing.push(stop);
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    stop,
    watcher: async () => come.shift() ?? new Promise<ServerResponse>((resolve) => waiting.push(resolve)),
  };
}

const say = (to: ServerResponse, event: string, data: unknown) =>
  to.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

/** Watches as a page does. */
function watching(url: URL, seen = new Cell(own)) {
  const map = watchMap({ fetch: (...given) => fetch(...given) }, url, seen);
  let changed = () => {};
  const off = map.subscribe(() => changed());
  closing.push(off);
  const when = async (so: (map: NetworkMap) => boolean) => {
    while (!so(map.get())) await new Promise<void>((resolve) => (changed = resolve));
    return map.get();
  };
  return { map, off, when };
}

it('the relay’s picture is shown with this tab’s own links in it, and follows its changes', async () => {
  const { url, watcher } = await relay();
  const { map, when, off } = watching(url);
  const stream = await watcher();
  say(stream, 'state', told(['SELFself', 'other']));
  const first = await when(({ source, total }) => source === 'relay' && total === 4);
  expect(first.peers).toEqual([
    { id: 'RELAYxyz', kind: 'relay', layers: [], sessions: null },
    { id: 'HostHOST', kind: 'host', layers: [{ cid: 'm', start: 0, end: 2 }], sessions: 0 },
    { id: 'SELFself', kind: 'self', layers: [], sessions: null },
    { id: 'other', kind: 'client', layers: [], sessions: null },
  ]);
  expect(first.links, 'measured at the other end where it was not here').toEqual([
    { from: 'SELFself', to: 'HostHOST', path: 'direct', roundTripMs: 9 },
    { from: 'SELFself', to: 'RELAYxyz', path: 'websocket', roundTripMs: 4 },
  ]);
  say(stream, 'change', { clients: ['SELFself'], hosts: [], links: [] });
  const next = await when(({ peers }) => peers.length === 2);
  expect(
    next.peers.map(({ id }) => id),
    'gone, although this tab remembers it',
  ).toEqual(['RELAYxyz', 'SELFself']);
  const closed = once(stream, 'close');
  off();
  await closed;
  expect(map.get().source, 'nobody watches').toBe('none');
});

it('when the relay is gone, what this tab sees itself is shown, and the relay’s picture again when it is back', async () => {
  const { url, watcher, stop } = await relay();
  const seen = new Cell(own);
  const { when, map } = watching(url, seen);
  const stream = await watcher();
  seen.update({ sessionsServed: 1 });
  expect(map.get().source, 'the own sight does not flash by').toBe('none');
  say(stream, 'state', told([]));
  await when(({ source }) => source === 'relay');
  await stop();
  const sight = await when(({ source }) => source === 'own');
  expect(sight.peers.map(({ id, kind }) => [id, kind])).toEqual([
    ['SELFself', 'self'],
    ['HostHOST', 'host'],
    ['RELAYxyz', 'relay'],
  ]);
  const { port } = url;
  const server = createServer((_, response) => {
    response.writeHead(200);
    say(response, 'state', told(['back']));
  });
  server.listen(Number(port), '127.0.0.1');
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const back = await when(({ source }) => source === 'relay');
  expect(back.peers.map(({ id }) => id)).toContain('back');
});

it('a relay with too many watchers is asked for its state instead', async () => {
  const { url } = await relay(() => true);
  const { when } = watching(url);
  const { peers } = await when(({ source }) => source === 'relay');
  expect(peers.map(({ id }) => id)).toContain('asked');
});

it('the picture of a network that this tab is not in is not taken for its own', async () => {
  const { url, watcher } = await relay();
  const { when } = watching(url, new Cell({ ...own, relays: [HOST] }));
  const stream = await watcher();
  say(stream, 'state', told(['stranger']));
  say(stream, 'state', told([], { relays: [{ peer: HOST.slice(-8), state: 'connected' }] }));
  // The second one is joined with this tab's relay; the first was passed over.
  const { peers } = await when(({ source }) => source === 'relay');
  expect(peers.map(({ id }) => id)).not.toContain('stranger');
});

it('an event that is larger than a page takes ends the stream, and what it said is not shown', async () => {
  const { url, watcher } = await relay();
  const { when } = watching(url);
  const stream = await watcher();
  say(stream, 'state', told(['x'.repeat(600_000)]));
  await when(({ source }) => source === 'own');
  say(await watcher(), 'state', told(['sound']));
  await when(({ source }) => source === 'relay');
});
