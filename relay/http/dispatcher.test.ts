import { request as httpRequest } from 'node:http';
import { expect, it } from 'vitest';
import { RelayError } from '../errors.ts';
import { ask } from '../testing/http.ts';
import { Client } from './testing/client.ts';
import { counting, route, serve } from './testing/serve.ts';
import type { Route } from './types.ts';

const api = (more: Partial<Route> = {}): Route =>
  route('/v1/chat', ({ response }) => void response.end('answer'), {
    methods: ['POST'],
    kind: 'api',
    crossOrigin: true,
    fail: ({ response }, status, code, message) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { code, message } }));
    },
    ...more,
  });

it('the first route that matches answers, and each is told the path in its parts', async () => {
  const seen: unknown[] = [];
  const tell = route('', ({ path, segments, query, address, response }) => {
    seen.push([path, segments, [...query], address]);
    response.end('first');
  });
  const { server, port } = await serve([
    { ...tell, matches: (path) => path.startsWith('/a/') },
    { ...counting(), matches: () => true },
  ]);
  expect((await ask(port, '/a/b%2Fc/%C3%A9?x=1&y=%26')).text).toBe('first');
  expect((await ask(port, '/b')).text).toBe('ok');
  expect((await ask(port, '/a/x', { 'x-forwarded-for': '203.0.113.9' })).text).toBe('first');
  expect(seen).toEqual([
    [
      '/a/b/c/é',
      ['a', 'b/c', 'é'],
      [
        ['x', '1'],
        ['y', '&'],
      ],
      '127.0.0.1',
    ],
    ['/a/x', ['a', 'x'], [], '203.0.113.9'],
  ]);
  await server.close();
});

it('methods of all routes of a path are offered, and HEAD comes with GET', async () => {
  const { server, port } = await serve([
    route('/x', ({ response }) => void response.end('got')),
    route('/x', ({ response }) => void response.end('deleted'), { methods: ['DELETE'] }),
  ]);
  expect((await ask(port, '/x', {}, 'DELETE')).text).toBe('deleted');
  const head = await ask(port, '/x', {}, 'HEAD');
  expect([head.status, head.text]).toEqual([200, '']);
  const put = await ask(port, '/x', {}, 'PUT');
  expect([put.status, put.headers.allow]).toEqual([405, 'GET, HEAD, DELETE']);
  await server.close();
});

it('a page of another origin is told before it posts which headers it may send', async () => {
  const { server, port } = await serve([api(), counting('/models')]);
  const names =
    'authorization, content-type, x-stainless-lang, x-stainless-retry-count, x-evil, x-shoal-route';
  const asks = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
  const { status, headers } = await ask(
    port,
    '/v1/chat',
    { ...asks, 'access-control-request-headers': names },
    'OPTIONS',
  );
  expect([status, headers['access-control-allow-origin']]).toEqual([204, '*']);
  expect(headers['access-control-allow-methods']).toBe('POST');
  const allowed = headers['access-control-allow-headers']!.toLowerCase().split(', ');
  for (const name of names.split(', ')) expect(allowed.includes(name), name).toBe(name !== 'x-evil');
  const many = Array.from({ length: 900 }, (_, i) => `x-stainless-${i}`).join(',');
  const flood = await ask(port, '/v1/chat', { ...asks, 'access-control-request-headers': many }, 'OPTIONS');
  expect(flood.headers['access-control-allow-headers']!.length).toBeLessThan(1000);
  expect((await ask(port, '/models', asks, 'OPTIONS')).status).toBe(405);
  await server.close();
});

it('a refusal has the form of its route, and the connection is not kept for a body nobody reads', async () => {
  const { server, port } = await serve([api()]);
  const get = await ask(port, '/v1/chat');
  expect([get.status, JSON.parse(get.text).error.code]).toEqual([405, 'method-not-allowed']);
  expect(get.headers['access-control-allow-origin']).toBe('*');
  const client = await Client.at(port);
  client.write('PUT /v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc');
  await client.answers(1);
  expect(client.text).toMatch(/^HTTP\/1.1 405 [\s\S]*Connection: close/);
  await client.closed;
  await server.close();
});

it('an error of a route is logged once, told as 500, and quotes nobody', async () => {
  const { server, port, log, tally } = await serve([
    api({ methods: ['GET'], handle: () => void JSON.parse('my secret prompt') }),
    route('/known', async () => {
      throw new RelayError('no-model', 'There is no such model.');
    }),
    route('/late', ({ response }) => {
      response.write('half an answer');
      throw new Error('my secret prompt');
    }),
    route(
      '/worse',
      () => {
        throw new Error('my secret prompt');
      },
      {
        fail: () => {
          throw new Error('my secret prompt');
        },
      },
    ),
  ]);
  const failed = await ask(port, '/v1/chat');
  expect([failed.status, JSON.parse(failed.text).error.code]).toEqual([500, 'failed']);
  expect((await ask(port, '/known')).status).toBe(500);
  await expect(ask(port, '/late')).rejects.toThrow(/aborted|hang up/);
  await expect(ask(port, '/worse')).rejects.toThrow(/hang up/);
  expect(log.lines).toHaveLength(4);
  expect(log.lines.join()).not.toContain('secret');
  expect(log.lines[0]).toMatch(/SyntaxError at JSON\.parse/);
  expect(log.lines[1]).toContain('There is no such model.');
  expect(tally.get('shoal_errors_total http no-model')).toBe(1);
  expect(tally.get('shoal_errors_total http unforeseen')).toBe(3);
  await server.close();
});

it('a route that writes after the end, or after a hang-up, ends nobody', async () => {
  let written: () => void;
  const late = new Promise<void>((resolve) => {
    written = resolve;
  });
  const { server, port, log } = await serve([
    counting(),
    route('/after', ({ response }) => {
      response.end('all');
      response.write('more');
    }),
    route('/gone', ({ response, signal }) => {
      response.write('some');
      signal.addEventListener('abort', () => {
        response.write('more');
        response.end('rest');
        setImmediate(written);
      });
    }),
  ]);
  await ask(port, '/after').catch(() => {});
  await log.said(/could not be answered.*ERR_STREAM_WRITE_AFTER_END|could not be answered.*Error at/);
  const client = await Client.at(port);
  client.get('/gone');
  await client.until(() => client.text.includes('some'));
  client.end();
  await late;
  expect((await ask(port, '/')).text).toBe('ok');
  expect(log.lines).toHaveLength(1);
  await server.close();
});

it('a client that hangs up aborts its answer, and nobody is told', async () => {
  let aborted: (reason: unknown) => void;
  const heard = new Promise((resolve) => {
    aborted = resolve;
  });
  let begun: () => void;
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const { server, port, log } = await serve([
    route('/slow', async ({ signal }) => {
      begun();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }),
    route('/watch', ({ signal, response }) => {
      response.write('data: 1\n\n');
      signal.addEventListener('abort', () => aborted(signal.reason));
    }),
  ]);
  const slow = httpRequest({ port, path: '/slow', agent: false })
    .on('error', () => {})
    .end();
  await started;
  slow.destroy();
  const client = await Client.at(port);
  client.get('/watch');
  await client.until(() => client.text.includes('data: 1'));
  client.end();
  expect(await heard).toMatchObject({ name: 'AbortError' });
  await server.close();
  expect(log.lines).toEqual([]);
});

it('requests are counted by what they were for, streams without their time', async () => {
  const { server, port, tally } = await serve([
    counting('/', { label: 'page' }),
    counting('/healthz', { kind: 'light' }),
    api(),
    route('/live', ({ response }) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.end('data: 1\n\n');
    }),
  ]);
  for (const path of ['/', '/', '/healthz', '/nothing', '/live']) await ask(port, path);
  await ask(port, '/v1/chat', {}, 'POST');
  await server.close();
  const requests = [...tally.counts].filter(([key]) => key.startsWith('shoal_http_'));
  expect(new Map(requests)).toEqual(
    new Map([
      ['shoal_http_requests_total page 2xx', 2],
      ['shoal_http_requests_total watch 2xx', 1],
      ['shoal_http_requests_total other 4xx', 1],
      ['shoal_http_requests_total other 2xx', 1],
      ['shoal_http_requests_total api 2xx', 1],
      ['shoal_http_seconds page', 2],
      ['shoal_http_seconds watch', 1],
      ['shoal_http_seconds other', 1],
      ['shoal_http_seconds api', 1],
    ]),
  );
});
