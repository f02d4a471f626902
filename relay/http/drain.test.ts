import { once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from '../testing/http.ts';
import { Client } from './testing/client.ts';
import { counting, route, serve } from './testing/serve.ts';
import type { Call } from './types.ts';

const PATIENT = { timeout: 60_000 };
/** Milliseconds; longer than any test, so that what ends does not end by it. */
const LONG = 600_000;

/** A stream that goes on until it is told to end, or is aborted. */
function streaming(path: string, more = {}) {
  const calls: Call[] = [];
  const aborted: unknown[] = [];
  const handle = (call: Call) => {
    calls.push(call);
    call.response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    call.response.write('data: 1\n\n');
    call.signal.addEventListener('abort', () => {
      aborted.push(call.signal.reason);
      if (!call.response.destroyed) call.response.end('data: stopped\n\n');
    });
  };
  return { ...route(path, handle, more), calls, aborted };
}

const begin = async (port: number, path: string) => {
  const client = await Client.at(port);
  client.get(path);
  await client.until(() => client.text.includes('data: 1'));
  return client;
};

it('a drain finishes what runs, refuses what comes, and answers health until the end', PATIENT, async () => {
  const answer = streaming('/v1/chat', {
    kind: 'api',
    fail: ({ response }: Call, status: number, code: string) => {
      response.writeHead(status);
      response.end(`{"code":"${code}"}`);
    },
  });
  const { server, port, guard, tally } = await serve([
    answer,
    counting(),
    counting('/healthz', { kind: 'light' }),
  ]);
  const client = await begin(port, '/v1/chat');
  const progress: number[] = [];
  const drained = server.drain({ patience: LONG, onProgress: (left) => progress.push(left) });
  expect([guard.hold().accepting(), server.running]).toEqual([false, 1]);
  const refused = await ask(port, '/v1/chat');
  expect([refused.status, refused.text]).toEqual([503, '{"code":"draining"}']);
  expect([refused.headers['retry-after'], refused.headers.connection]).toEqual(['10', 'close']);
  const page = await ask(port, '/');
  expect([page.status, page.text]).toEqual([503, expect.stringContaining('stopping')]);
  expect((await ask(port, '/healthz')).status).toBe(200);
  expect(tally.get('shoal_refused_total draining')).toBe(2);
  answer.calls[0]!.response.end('data: 2\n\n');
  await drained;
  await client.closed;
  expect(client.text).toContain('data: 2');
  expect(answer.aborted).toEqual([]);
  expect(progress[0]).toBe(1);
  await expect(ask(port, '/healthz')).rejects.toThrow('ECONNREFUSED');
  await server.close();
});

it('a drain whose patience is over aborts what still runs, and lets it say so', PATIENT, async () => {
  const answer = streaming('/v1/chat', { kind: 'api' });
  const { server, port, log } = await serve([answer]);
  const client = await begin(port, '/v1/chat');
  await server.drain({ patience: 100 });
  await client.closed;
  expect(client.text).toContain('data: stopped');
  expect(answer.aborted).toEqual([
    expect.objectContaining({ name: 'AbortError', message: 'The relay stops.' }),
  ]);
  await server.close();
  expect(log.lines).toEqual([]);
});

it('a second signal ends a drain at once, and so does closing', PATIENT, async () => {
  for (const hurry of ['signal', 'close']) {
    const answer = streaming('/v1/chat', { kind: 'api' });
    const { server, port } = await serve([answer], { times: { close: 50 } });
    const client = await begin(port, '/v1/chat');
    const second = new AbortController();
    const drained = server.drain({ patience: LONG, signal: second.signal });
    if (hurry === 'signal') second.abort();
    else void server.close();
    await drained;
    await client.closed;
    expect(answer.aborted).toHaveLength(1);
    await server.close();
  }
});

it('who watches the status does not hold up a drain, and other work does', PATIENT, async () => {
  const live = streaming('/live', { kind: 'light' });
  const { server, port } = await serve([live, counting('/healthz', { kind: 'light' })]);
  const watcher = await begin(port, '/live');
  let hostingDone: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    hostingDone = resolve;
  });
  const drained = server.drain({ patience: LONG, until });
  expect((await ask(port, '/healthz')).status).toBe(200);
  expect(watcher.socket.destroyed).toBe(false);
  hostingDone();
  await drained;
  await watcher.closed;
  expect(live.aborted).toHaveLength(1);
  await server.close();
});

it('WebSockets outlive the drain until the swarm ends them, and new ones are refused', PATIENT, async () => {
  const { server, port } = await serve([]);
  const swarm = new WebSocketServer({ noServer: true });
  server.http.on('upgrade', (request, socket, head) =>
    swarm.handleUpgrade(request, socket, head, (webSocket) =>
      webSocket.on('message', (data) => webSocket.send(data)),
    ),
  );
  const peer = new WebSocket(`ws://127.0.0.1:${port}/p2p`);
  await once(peer, 'open');
  let hostingDone: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    hostingDone = resolve;
  });
  const drained = server.drain({ patience: LONG, until });
  const late = new WebSocket(`ws://127.0.0.1:${port}/p2p`);
  late.on('error', () => {});
  const [, response] = await once(late, 'unexpected-response');
  expect(response.statusCode).toBe(503);
  hostingDone();
  await drained;
  peer.send('still here');
  expect(String((await once(peer, 'message'))[0])).toBe('still here');
  const closed = server.close();
  for (const webSocket of swarm.clients) webSocket.close(1001);
  expect((await once(peer, 'close'))[0]).toBe(1001);
  await closed;
});

it('a WebSocket that nobody ends does not hold up the close', PATIENT, async () => {
  const { server, port } = await serve([], { times: { close: 100 } });
  const swarm = new WebSocketServer({ noServer: true });
  server.http.on('upgrade', (request, socket, head) => swarm.handleUpgrade(request, socket, head, () => {}));
  const peer = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(peer, 'open');
  const gone = once(peer, 'close');
  await server.close();
  await gone;
});
