import { once } from 'node:events';
import { expect, it } from 'vitest';
import { Client } from './testing/client.ts';
import { counting, route, serve } from './testing/serve.ts';

const PATIENT = { timeout: 120_000 };
const trustedProxies: string[] = [];

it(
  'two hundred clients that never finish their headers are cut off, and others are served',
  PATIENT,
  async () => {
    const page = counting();
    const { server, port, guard } = await serve([page], {
      limits: { trustedProxies, connections: 264, connectionsPerAddress: 200 },
      times: { headers: 1500 },
    });
    const slow = await Promise.all(Array.from({ length: 200 }, () => Client.at(port)));
    for (const client of slow) client.write('GET / HTTP/1.1\r\nHost: x\r\n');
    // A byte now and then does not help: the clock runs from the first.
    const drip = setInterval(() => {
      for (const client of slow) if (!client.socket.destroyed) client.write('X-Slow: 1\r\n');
    }, 100);
    const other = await Client.at(port, '127.0.0.2');
    for (let i = 1; i <= 20; i++) {
      other.get();
      expect(await other.answers(i)).toBe(i);
    }
    await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(drip);
    expect(page.served.get('127.0.0.1')).toBe(undefined);
    expect(page.served.get('127.0.0.2')).toBe(20);
    other.end();
    await server.close();
    expect(guard.places.open).toBe(0);
  },
);

it('a client that reads nothing of a large answer is cut off, and its answer ends', PATIENT, async () => {
  let ended: () => void;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const { server, port } = await serve(
    [
      route('/large', async ({ response, signal }) => {
        signal.addEventListener('abort', () => ended());
        const part = Buffer.alloc(256 * 1024);
        while (!signal.aborted) if (!response.write(part)) await once(response, 'drain', { signal });
      }),
    ],
    { times: { idle: 500 } },
  );
  const deaf = await Client.at(port);
  deaf.socket.pause();
  deaf.get('/large');
  // Neither end closes but by the server's patience.
  await over;
  deaf.end();
  await server.close();
});

it('an answer may be thought about for longer than a socket may be idle', PATIENT, async () => {
  let answer: () => void = () => {};
  const asked: (() => void)[] = [];
  const thinking = new Promise<void>((resolve) => asked.push(resolve));
  const { server, port } = await serve(
    [
      route('/think', ({ response }) => {
        answer = () => response.end('thought');
        asked[0]!();
      }),
    ],
    { times: { idle: 200, keepAlive: 200 } },
  );
  const client = await Client.at(port);
  client.get('/think');
  await thinking;
  // A second connection, opened later and idle for as long, is closed five times over meanwhile.
  for (let i = 0; i < 5; i++) await (await Client.at(port)).closed;
  expect(client.socket.destroyed).toBe(false);
  answer();
  await client.until(() => client.text.includes('thought'));
  expect(client.statuses).toEqual([200]);
  // Then it is idle like any other.
  await client.closed;
  await server.close();
});

it('a request whose body never comes is cut off', PATIENT, async () => {
  const { server, port } = await serve(
    [
      route(
        '/',
        ({ request, response }) => {
          request.resume().on('end', () => response.end('ok'));
        },
        { methods: ['POST'] },
      ),
    ],
    { times: { headers: 300, request: 600, idle: 60_000 } },
  );
  const client = await Client.at(port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  await client.closed;
  expect(client.statuses).toEqual([408]);
  await server.close();
});

it('a client that closes its half of the connection still gets its answer', PATIENT, async () => {
  const { server, port } = await serve([counting()]);
  const client = await Client.at(port);
  client.get('/');
  client.socket.end();
  await client.closed;
  expect(client.statuses).toEqual([200]);
  await server.close();
});
