import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkRelay } from './check-relay.ts';

/** A server of a test's own: a relay at /, a relay that is not joined at /alone/, and pages that are none. */
let server: Server;
let base: string;
const PEER = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5';

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/network.json') return response.end(JSON.stringify({ peer: PEER }));
    if (request.url === '/list/network.json') return response.end('[1,2]');
    if (request.url === '/page/network.json') return response.end('<!doctype html>');
    if (request.url === '/long/network.json') return response.end(`{"peer":"${'x'.repeat(200_000)}"}`);
    response.statusCode = 503;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const check = (text: string, known: readonly string[] = [], secure = false) =>
  checkRelay(text, { known, secure, fetch });

test('a relay that answers is taken, as one address however it was written', async () => {
  expect(await check(` ${base} `)).toEqual({ kind: 'answers', relay: `${base}/` });
  expect(await check(`${base}/?a=b#/chat`)).toEqual({ kind: 'answers', relay: `${base}/` });
  expect(await check(base, [`${base}/`])).toMatchObject({ problem: 'known' });
});

test('what answers, but is no relay that can be joined, is told apart from silence', async () => {
  for (const path of ['/alone', '/list', '/page', '/long/']) {
    expect(await check(base + path)).toMatchObject({ problem: 'no-relay' });
  }
  // A port that nothing listens on: the address is kept, so that it can be added all the same.
  expect(await check('http://127.0.0.1:1')).toEqual({
    kind: 'problem',
    problem: 'silent',
    relay: 'http://127.0.0.1:1/',
  });
});

test('what is no address is refused before anything is asked', async () => {
  const asked: unknown[] = [];
  const watching = ((url: unknown) => {
    asked.push(url);
    return Promise.reject(new Error('not here'));
  }) as typeof fetch;
  const none = [
    '',
    ' ',
    'two words',
    'ftp://relay.example',
    'javascript:alert(1)',
    '/ip4/1.2.3.4/tcp/1',
    'x'.repeat(600),
  ];
  for (const text of [...none, 'https://me:secret@relay.example']) {
    expect(await checkRelay(text, { known: [], secure: false, fetch: watching })).toEqual({
      kind: 'problem',
      problem: 'not-an-address',
      relay: null,
    });
  }
  expect(asked).toEqual([]);
});

test('a multiaddr is taken by its form, and the list has an end', async () => {
  const address = `/dns4/relay.example/tcp/443/wss/p2p/${PEER}`;
  expect(await check(address)).toEqual({ kind: 'unchecked', relay: address });
  const full = Array.from({ length: 8 }, (_, i) => `https://relay-${i}.example/`);
  expect(await check(address, full)).toMatchObject({ problem: 'too-many' });
});

test('a page over https is told that plain http is out of its reach, its own device apart', async () => {
  expect(await check('http://relay.example', [], true)).toMatchObject({ problem: 'blocked' });
  expect(await check(base, [], true)).toMatchObject({ kind: 'answers' });
});
