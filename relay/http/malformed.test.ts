import { expect, it } from 'vitest';
import { Client } from './testing/client.ts';
import { counting, type Served, serve } from './testing/serve.ts';

const PATIENT = { timeout: 300_000 };
const CLOSE = 'Host: x\r\nConnection: close\r\n';
const trustedProxies: string[] = [];

async function statuses({ port }: Served, bytes: string | Buffer): Promise<number[]> {
  const client = await Client.at(port);
  client.write(bytes);
  client.socket.end();
  await client.closed;
  return client.statuses;
}

it('what two servers could read differently is refused', PATIENT, async () => {
  const page = counting('/', { methods: ['GET', 'POST'] });
  const served = await serve([page]);
  const body = (headers: string, rest = '') => `POST / HTTP/1.1\r\n${CLOSE}${headers}\r\n\r\n${rest}`;
  const shapes = {
    'a length and chunks': body('Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nGET /'),
    'chunks and a length': body('Transfer-Encoding: chunked\r\nContent-Length: 6', '0\r\n\r\nGET /'),
    'two lengths': body('Content-Length: 5\r\nContent-Length: 6', 'abcdef'),
    'two lengths in one': body('Content-Length: 5, 6', 'abcdef'),
    'a signed length': body('Content-Length: +5', 'abcde'),
    'a hexadecimal length': body('Content-Length: 0x5', 'abcde'),
    'an endless length': body(`Content-Length: ${'9'.repeat(40)}`),
    'chunks that are not last': body('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
    'a chunk size that is none': body('Transfer-Encoding: chunked', 'zz\r\n'),
    'a space before the colon': `GET / HTTP/1.1\r\nHost : x\r\n${CLOSE}\r\n`,
    'a folded header': `GET / HTTP/1.1\r\n${CLOSE}X: a\r\n b\r\n\r\n`,
    'a bare carriage return': `GET / HTTP/1.1\r\n${CLOSE}X: a\rb\r\n\r\n`,
    'a NUL in a header': `GET / HTTP/1.1\r\n${CLOSE}X: a\0b\r\n\r\n`,
    'no host': 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
    'two hosts': `GET / HTTP/1.1\r\nHost: y\r\n${CLOSE}\r\n`,
    'a GET with a body': `GET / HTTP/1.1\r\n${CLOSE}Content-Length: 5\r\n\r\nGET /`,
    'a GET with chunks': `GET / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n`,
    'a version that is none': `GET / HTTP/9.9\r\n${CLOSE}\r\n`,
    'no version': `GET /\r\n${CLOSE}\r\n`,
    'an unknown method': `FETCH / HTTP/1.1\r\n${CLOSE}\r\n`,
    'a space in the path': `GET / / HTTP/1.1\r\n${CLOSE}\r\n`,
    'no path': `GET  HTTP/1.1\r\n${CLOSE}\r\n`,
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  };
  // Refused once, and nothing that came behind it was taken for another request.
  for (const [name, bytes] of Object.entries(shapes))
    expect(await statuses(served, bytes), name).toEqual([400]);
  // No route was asked but for the body that turned out to be none after its head was handed on.
  expect(page.served.get('127.0.0.1') ?? 0).toBeLessThanOrEqual(1);
  // What is odd but allowed works.
  for (const bytes of [
    `\r\nGET / HTTP/1.1\r\n${CLOSE}\r\n`,
    'GET / HTTP/1.0\r\n\r\n',
    `GET / HTTP/1.1\r\n${CLOSE}Content-Length: 0\r\n\r\n`,
    body('Content-Length: 5', 'abcde'),
    body('Transfer-Encoding: chunked', '5\r\nabcde\r\n0\r\n\r\n'),
  ])
    expect(await statuses(served, bytes), bytes).toEqual([200]);
  await served.server.close();
});

it('headers are taken up to 16 KB and a hundred', PATIENT, async () => {
  const served = await serve([counting()]);
  const get = (headers: string) => statuses(served, `GET / HTTP/1.1\r\n${CLOSE}${headers}\r\n`);
  expect(await get(`X: ${'y'.repeat(15_000)}\r\n`)).toEqual([200]);
  expect(await get(`X: ${'y'.repeat(17_000)}\r\n`)).toEqual([431]);
  expect(await get('X: y\r\n'.repeat(98))).toEqual([200]);
  expect(await get('X: y\r\n'.repeat(99))).toEqual([431]);
  expect(await get('X: y\r\n'.repeat(2500))).toEqual([431]);
  await served.server.close();
});

/** A small generator of numbers (mulberry32), so that the same seed gives the same requests. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A request that a careless or hostile client could send: a good one with some bytes changed, lost, doubled or moved. */
function mutated(pick: (below: number) => number): Buffer {
  const seeds = [
    `GET /page?x=%20y HTTP/1.1\r\n${CLOSE}Accept: text/html\r\nX-Forwarded-For: 1.2.3.4, ::1\r\n\r\n`,
    `POST / HTTP/1.1\r\n${CLOSE}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"model":"x"}`,
    `POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`,
    `OPTIONS / HTTP/1.1\r\n${CLOSE}Origin: https://a\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
    'GET /p2p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
    `GET / HTTP/1.1\r\n${CLOSE}Range: bytes=0-1,5-\r\nIf-None-Match: "a", W/"b"\r\nExpect: 100-continue\r\n\r\n`,
  ];
  const spices = [
    '\r\n',
    '\n',
    '\0',
    '%',
    '%00',
    '%ff',
    ' ',
    ':',
    '../',
    '\x16\x03\x01',
    'é',
    ',',
    ';',
    '9'.repeat(30),
    'x'.repeat(300),
  ];
  let bytes = Buffer.from(seeds[pick(seeds.length)]!, 'latin1');
  for (let i = 1 + pick(6); i > 0; i--) {
    const at = pick(bytes.length + 1);
    const to = Math.min(bytes.length, at + pick(20));
    const [head, part, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    const kinds = [
      () => [head, Buffer.from([pick(256)]), bytes.subarray(Math.min(bytes.length, at + 1))],
      () => [head, tail],
      () => [head, part, part, tail],
      () => [head, Buffer.from(spices[pick(spices.length)]!), part, tail],
      () => [tail, head, part],
      () => [head],
    ];
    bytes = Buffer.concat(kinds[pick(kinds.length)]!());
  }
  return bytes;
}

it(
  'ten thousand malformed requests: no failure, nothing left over, and others are served',
  PATIENT,
  async () => {
    const page = counting('/', { methods: ['GET', 'POST'], crossOrigin: true });
    const served = await serve([page, counting('/page')], {
      limits: { trustedProxies, requestsPerMinute: 1_000_000 },
      times: { headers: 2_000, request: 4_000 },
    });
    const pick = random(20261121);
    const requests = Array.from({ length: 10_000 }, () => mutated(pick));
    const seen = new Map<number, number>();
    const other = await Client.at(served.port, '127.0.0.2');
    let sent = 0;
    let good = 0;
    const sender = async () => {
      for (let bytes = requests[sent++]; bytes; bytes = requests[sent++]) {
        for (const status of await statuses(served, bytes)) seen.set(status, (seen.get(status) ?? 0) + 1);
        if (sent % 100 !== 0) continue;
        // A good request now and then, from elsewhere, on one socket that is kept through all of it.
        other.get();
        await other.answers(++good);
      }
    };
    await Promise.all(Array.from({ length: 32 }, sender));
    expect(other.statuses).toEqual(Array(good).fill(200));
    expect(good).toBeGreaterThanOrEqual(90);
    const allowed = [100, 200, 204, 400, 404, 405, 408, 413, 417, 426, 431, 503];
    expect([...seen.keys()].filter((status) => !allowed.includes(status))).toEqual([]);
    // Both kinds came, or this would have tested nothing.
    expect(seen.get(400)).toBeGreaterThan(1000);
    expect(seen.get(200)).toBeGreaterThan(500);
    expect(served.log.lines).toEqual([]);
    other.end();
    await served.server.close();
    expect([served.guard.places.open, served.server.running]).toEqual([0, 0]);
  },
);
