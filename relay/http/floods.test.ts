import { once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from '../testing/http.ts';
import { Client } from './testing/client.ts';
import { counting, serve } from './testing/serve.ts';

const PATIENT = { timeout: 120_000 };
/** Nobody is trusted, so that each address of 127.0.0.0/8 is a client of its own. */
const trustedProxies: string[] = [];

it(
  'a flood of requests from one address is refused, and another is served all the while',
  PATIENT,
  async () => {
    const page = counting();
    const health = counting('/healthz', { kind: 'light' });
    const { server, port, tally } = await serve([page, health], {
      limits: { trustedProxies, requestsPerMinute: 1000 },
    });
    // 50 sockets that ask again as soon as they are answered.
    const flood = await Promise.all(Array.from({ length: 50 }, () => Client.at(port)));
    let flooding = true;
    let asked = 0;
    const floods = flood.map(async (client) => {
      for (let i = 1; flooding; i++) {
        client.get();
        asked++;
        if ((await client.answers(i)) < i) throw new Error('The flood was cut off.');
      }
    });
    await flood[0]!.until(() => flood[0]!.statuses.includes(429));
    const other = await Client.at(port, '127.0.0.2');
    const waits: number[] = [];
    for (let i = 1; i <= 30; i++) {
      const before = asked;
      other.get();
      await other.answers(i);
      waits.push(asked - before);
    }
    flooding = false;
    await Promise.all(floods);
    expect(other.statuses).toEqual(Array(30).fill(200));
    // In turn: while it waited, each of the 50 was answered a few times, never hundreds of times.
    expect(Math.max(...waits)).toBeLessThan(50 * 10);
    expect(page.served.get('127.0.0.1')).toBe(1000);
    expect(tally.get('shoal_refused_total requests')).toBe(asked - 1000);
    // Health is not counted.
    const refused = await ask(port, '/');
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(port, '/healthz')).status).toBe(200);
    for (const client of [...flood, other]) client.end();
    await server.close();
  },
);

it('one address holds its sockets and no more, and others still get in', PATIENT, async () => {
  const { server, port, tally, guard } = await serve([counting()], {
    limits: { trustedProxies, connections: 200, connectionsPerAddress: 150 },
  });
  const held = await Promise.all(Array.from({ length: 300 }, () => Client.at(port)));
  await Promise.race([Promise.all(held.slice(150).map(({ closed }) => closed)), once(server.http, 'close')]);
  expect(guard.places.open).toBe(150);
  expect(tally.get('shoal_refused_total connections-per-address')).toBe(150);
  // A second address takes what is left but the reserve, and a third still looks at the status.
  const more = await Promise.all(Array.from({ length: 60 }, () => Client.at(port, '127.0.0.2')));
  await Promise.all(more.slice(18).map(({ closed }) => closed));
  expect(guard.places.open).toBe(200 - 32);
  const third = await Client.at(port, '127.0.0.3');
  third.get();
  expect(await third.answers(1)).toBe(1);
  expect(third.statuses).toEqual([200]);
  for (const client of [...held, ...more, third]) client.end();
  await server.close();
  expect(guard.places.open).toBe(0);
});

it('behind a trusted proxy each client has its own limits', PATIENT, async () => {
  const page = counting();
  const { server, port } = await serve([page], {
    limits: { requestsPerMinute: 20, connectionsPerAddress: 2 },
  });
  // More sockets than one address may have: they are the proxy's.
  const sockets = await Promise.all(Array.from({ length: 10 }, () => Client.at(port)));
  for (const socket of sockets) {
    for (let i = 1; i <= 3; i++) {
      socket.get('/', 'X-Forwarded-For: 203.0.113.1\r\n');
      await socket.answers(i);
    }
  }
  expect(sockets.flatMap(({ statuses }) => statuses).filter((status) => status === 200)).toHaveLength(20);
  expect((await ask(port, '/', { 'x-forwarded-for': '203.0.113.2' })).status).toBe(200);
  expect((await ask(port, '/', { 'x-forwarded-for': '203.0.113.2, 203.0.113.1' })).status).toBe(429);
  for (const socket of sockets) socket.end();
  await server.close();
});

it('requests of one client that are under way at once are limited behind a proxy too', PATIENT, async () => {
  const waiting: (() => void)[] = [];
  const slow = {
    ...counting(),
    handle: ({ response }: { response: import('node:http').ServerResponse }) =>
      void waiting.push(() => response.end('ok')),
  };
  const { server, port } = await serve([slow], { limits: { connectionsPerAddress: 5 } });
  const clients = await Promise.all(Array.from({ length: 9 }, () => Client.at(port)));
  for (const client of clients) client.get('/', 'X-Forwarded-For: 203.0.113.1\r\n');
  const refused = () => clients.filter(({ statuses }) => statuses.includes(429));
  await expect.poll(() => refused().length, { timeout: 60_000 }).toBe(4);
  for (const answer of waiting) answer();
  await Promise.all(clients.map((client) => client.answers(1)));
  expect(clients.flatMap(({ statuses }) => statuses).sort()).toEqual([
    200, 200, 200, 200, 200, 429, 429, 429, 429,
  ]);
  for (const client of clients) client.end();
  await server.close();
});

it(
  'a thousand requests in one packet cost the sender its connection, a few are answered in order',
  PATIENT,
  async () => {
    const page = counting();
    const { server, port, tally } = await serve([page], { limits: { trustedProxies } });
    const one = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const polite = await Client.at(port);
    polite.write(one.repeat(5));
    await polite.answers(5);
    expect(polite.statuses).toEqual(Array(5).fill(200));
    const greedy = await Client.at(port, '127.0.0.2');
    greedy.write(one.repeat(1000));
    await greedy.closed;
    expect(page.served.get('127.0.0.2') ?? 0).toBeLessThanOrEqual(8);
    expect(tally.get('shoal_refused_total pipelining')).toBe(1);
    polite.end();
    await server.close();
  },
);

it(
  'a flood of WebSocket handshakes from one address does not reach the swarm, and another gets in',
  PATIENT,
  async () => {
    const { server, port, tally } = await serve([counting()], {
      limits: { trustedProxies },
      handshakesPerSecond: 10,
    });
    const from: (string | undefined)[] = [];
    const swarm = new WebSocketServer({ noServer: true });
    server.http.on('upgrade', (request, socket, head) => {
      from.push(request.socket.remoteAddress);
      swarm.handleUpgrade(request, socket, head, (webSocket) => webSocket.send('welcome'));
    });
    const handshake = (localAddress: string) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/p2p`, { localAddress });
        socket.once('message', () => resolve(101));
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
        socket.on('error', () => resolve(0));
      });
    const answers = await Promise.all(Array.from({ length: 200 }, () => handshake('127.0.0.1')));
    expect(await handshake('127.0.0.2')).toBe(101);
    const taken = answers.filter((status) => status === 101).length;
    expect(answers.filter((status) => status === 429)).toHaveLength(200 - taken);
    // Ten per window of a second; a busy machine may take several windows over it.
    expect(taken).toBeLessThan(200);
    expect(from.filter((address) => address === '127.0.0.1')).toHaveLength(taken);
    expect(tally.get('shoal_refused_total handshakes')).toBe(200 - taken);
    for (const webSocket of swarm.clients) webSocket.terminate();
    await server.close();
  },
);

it('twelve tabs that load the page from one machine are far from any limit', PATIENT, async () => {
  const page = counting();
  const { server, port, tally } = await serve([page], { limits: { trustedProxies } });
  const tabs = await Promise.all(Array.from({ length: 12 * 6 }, () => Client.at(port)));
  await Promise.all(
    tabs.map(async (tab) => {
      for (let i = 1; i <= 40; i++) {
        tab.get();
        await tab.answers(i);
      }
    }),
  );
  expect(page.served.get('127.0.0.1')).toBe(12 * 6 * 40);
  expect([...tally.counts.keys()].filter((key) => key.includes('refused'))).toEqual([]);
  for (const tab of tabs) tab.end();
  await server.close();
});
