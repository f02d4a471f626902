import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Guard } from './guard/guard.ts';
import { modelsRoute } from './http/models-route.ts';
import { CONFIGURED, LogBook, serve, Tally } from './http/testing/serve.ts';
import { startServer } from './server.ts';
import { type ServedModel, Shelf } from './shelf.ts';
import { ask, raw } from './testing/http.ts';
import { CID, FILE, MODEL, shelfRoutes, shelveModel } from './testing/shelved-model.ts';

let folder: string;
let shelf: Shelf;
let model: ServedModel;
const routes = () => shelfRoutes(shelf);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-relay-'));
  ({ shelf, model } = await shelveModel(folder));
});

afterAll(() => rm(folder, { recursive: true }));

describe('clients that hold on', () => {
  const times = { headers: 300, request: 600, idle: 900, keepAlive: 200, close: 400 };

  it('are cut off when they are slow or deaf', async () => {
    const { server: strict } = await serve(routes(), { times });
    expect(await raw(strict.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toMatch(/^HTTP\/1.1 408 /);
    expect(await raw(strict.port, '')).toMatch(/^HTTP\/1.1 408 /);
    await strict.close();
  });

  it('are turned away when they are too many, until some of them go', async () => {
    const { server: small } = await serve(routes(), { limits: { connections: 8 } });
    const held = Array.from({ length: 8 }, () => connect(small.port, '127.0.0.1'));
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    expect(await raw(small.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
    for (const socket of held) socket.destroy();
    const status = () =>
      ask(small.port, '/healthz').then(
        (answer) => answer.status,
        () => 0,
      );
    await expect.poll(status, { timeout: 20_000 }).toBe(200);
    await small.close();
  });

  it('do not hold up a relay that stops', async () => {
    const path = join(folder, 'large.gguf');
    await writeFile(path, Buffer.alloc(64 * 1024 * 1024));
    const facts = await stat(path);
    const large = new Shelf();
    large.add({ ...model, files: [{ name: 'l', path, bytes: facts.size, modified: facts.mtimeMs }] });
    const { server: strict } = await serve([modelsRoute(large)], { times });
    const deaf = connect(strict.port, '127.0.0.1');
    deaf.on('error', () => deaf.destroy());
    deaf.write(`GET /models/${CID}/files/l HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise((resolve) => deaf.once('readable', resolve));
    // It would read 64 MB otherwise, and nobody reads them: without the patience this would never end.
    await strict.close();
    expect(deaf.bytesRead).toBeLessThan(facts.size);
    deaf.destroy();
  });
});

describe('start and stop', () => {
  it('a second relay on the same port names it, with a way out, and the first serves on', async () => {
    const { server: first, port: taken } = await serve(routes());
    const [log, meters] = [new LogBook(), new Tally()];
    const guard = new Guard({ limits: CONFIGURED, meters, log });
    const attempt = startServer({ routes: routes(), port: taken, host: '127.0.0.1', guard, meters, log });
    await expect(attempt).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringMatching(new RegExp(`Port ${taken} is in use.*--port`)),
    });
    expect((await ask(taken, '/healthz')).status).toBe(200);
    await first.close();
    guard.close();
  });

  it('a request in flight is finished before the relay stops', async () => {
    const { server: second } = await serve(routes());
    const idle = connect(second.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const socket = connect(second.port, '127.0.0.1');
    socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    const closed = second.close();
    let bytes = 0;
    for await (const part of socket) bytes += (part as Buffer).length;
    await closed;
    expect(bytes).toBeGreaterThan(MODEL.length);
    await expect(ask(second.port, '/healthz')).rejects.toThrow('ECONNREFUSED');
  });
});
