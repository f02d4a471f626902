import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECURITY_HEADERS } from './headers.ts';
import { networkRoute } from './http/network-route.ts';
import { pageRoute, shareTargetRoute } from './http/page-route.ts';
import { serve } from './http/testing/serve.ts';
import { loadPage } from './page.ts';
import type { NetworkDescription, RelayServer } from './server.ts';
import type { ServedModel, Shelf } from './shelf.ts';
import { ask, raw } from './testing/http.ts';
import { CID, FILE, MODEL, shelfRoutes, shelveModel } from './testing/shelved-model.ts';

const INDEX = '<!doctype html><title>Shoal</title>';
let folder: string;
let server: RelayServer;
let port: number;
let shelf: Shelf;
let model: ServedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-relay-'));
  const dist = join(folder, 'dist');
  await mkdir(join(dist, 'assets'), { recursive: true });
  await writeFile(join(dist, 'index.html'), INDEX);
  await writeFile(join(dist, 'sdk.js'), 'export {};');
  await writeFile(join(dist, 'sw.js'), '{}');
  await mkdir(join(dist, 'ort/1.30.0'), { recursive: true });
  await writeFile(join(dist, 'ort/1.30.0/ort.wasm'), '');
  await writeFile(join(dist, '.shoal-build.json'), '{}');
  const script = `export const text = ${JSON.stringify('fish '.repeat(2000))};`;
  await writeFile(join(dist, 'assets/app-abc123.js'), script);
  await writeFile(join(dist, 'assets/app-abc123.js.br'), brotliCompressSync(script));
  await writeFile(join(dist, 'assets/app-abc123.js.gz'), gzipSync(script));
  await writeFile(join(folder, 'secret.txt'), 'secret');
  ({ shelf, model } = await shelveModel(folder));
  const page = await loadPage(dist);
  const none = networkRoute(async () => null);
  ({ server, port } = await serve(shelfRoutes(shelf, [none, pageRoute(() => page), shareTargetRoute()])));
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('the page', () => {
  it('is isolated and locked down, on every kind of answer', async () => {
    for (const path of ['/', '/sdk.js', '/healthz', '/nothing', '/%zz']) {
      const { headers } = await ask(port, path);
      for (const [name, value] of Object.entries(SECURITY_HEADERS))
        expect(headers[name.toLowerCase()]).toBe(value);
      expect(headers['access-control-allow-origin'], path).toBe(undefined);
    }
  });

  it('runs code of its own origin only, while it may connect to any relay', () => {
    const policy = new Map(
      SECURITY_HEADERS['Content-Security-Policy']!.split('; ').map((directive) => {
        const [name = '', ...sources] = directive.split(' ');
        return [name, sources];
      }),
    );
    expect(policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    expect(policy.get('connect-src')).toEqual(["'self'", 'https:', 'wss:', 'http:', 'ws:']);
    expect([...policy.values()].flat()).not.toContain("'unsafe-inline'");
  });

  it('is asked about before each use, while hashed files are kept for good', async () => {
    const page = await ask(port, '/?q=1');
    expect([page.status, page.text, page.headers['cache-control']]).toEqual([200, INDEX, 'no-cache']);
    for (const path of ['/sdk.js', '/sw.js']) {
      const { headers } = await ask(port, path);
      expect([headers['cache-control'], headers['content-type']], path).toEqual([
        'no-cache',
        'text/javascript; charset=utf-8',
      ]);
    }
    expect((await ask(port, '/ort/1.30.0/ort.wasm')).headers['cache-control']).toContain('immutable');
    const asset = await ask(port, '/assets/app-abc123.js');
    expect(asset.headers['cache-control']).toContain('immutable');
    expect(asset.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const again = await ask(port, '/', { 'if-none-match': String(page.headers.etag) });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('travels in the best encoding that the client takes', async () => {
    const encoding = async (accept: string) => {
      const { headers } = await ask(port, '/assets/app-abc123.js', { 'accept-encoding': accept });
      expect(headers.vary).toBe('Accept-Encoding');
      return headers['content-encoding'] ?? 'none';
    };
    expect(await encoding('gzip, deflate, br')).toBe('br');
    expect(await encoding('gzip')).toBe('gzip');
    expect(await encoding('br;q=0, gzip;q=0.5')).toBe('gzip');
    expect(await encoding('identity')).toBe('none');
    const packed = await ask(port, '/assets/app-abc123.js', { 'accept-encoding': 'br' });
    expect(brotliDecompressSync(packed.body).toString()).toContain('fish fish');
    const plain = await ask(port, '/assets/app-abc123.js');
    expect(plain.headers.etag).not.toBe(packed.headers.etag);
  });

  it('opens without what was shared to it, unread, where its service worker did not take it', async () => {
    const body = `POST /share-target HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n--x`;
    expect(await raw(port, body)).toMatch(/^HTTP\/1.1 303 .*\r\nLocation: \/#\/chat\r\n/s);
    expect((await ask(port, '/share-target')).status).toBe(405);
  });

  it('never leaves its folder', async () => {
    const tries = [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/../../secret.txt',
      '//secret.txt',
    ];
    tries.push(
      '/..\\secret.txt',
      '/%252e%252e/secret.txt',
      '/.shoal-build.json',
      `/models/${CID}/files/..%2fsecret.txt`,
    );
    for (const path of tries) {
      const answer = await ask(port, path);
      expect(answer.status, path).toBe(404);
      expect(answer.text).not.toContain('secret');
    }
  });
});

describe('a page of another relay', () => {
  it('may read the models and how to join the network, and nothing else', async () => {
    const paths = [
      '/models/index.json',
      `/models/${CID}/manifest.json`,
      FILE,
      '/models/none',
      '/network.json',
    ];
    for (const path of paths) {
      const { headers } = await ask(port, path, { origin: 'https://elsewhere.example' });
      expect(headers['access-control-allow-origin'], path).toBe('*');
      expect(headers['cross-origin-resource-policy'], path).toBe('cross-origin');
      expect(headers['access-control-expose-headers'], path).toContain('Content-Range');
      expect(headers['content-security-policy'], path).toBe(SECURITY_HEADERS['Content-Security-Policy']);
    }
  });

  it('is told, before it asks, that it may ask for ranges', async () => {
    const asks = { origin: 'https://a.example', 'access-control-request-method': 'GET' };
    const allowed = await ask(port, FILE, { ...asks, 'access-control-request-headers': 'range' }, 'OPTIONS');
    expect([allowed.status, allowed.headers['access-control-allow-origin'], allowed.text]).toEqual([
      204,
      '*',
      '',
    ]);
    expect(allowed.headers['access-control-allow-headers']).toContain('Range');
    expect(allowed.headers['access-control-allow-methods']).toBe('GET, HEAD');
    expect((await ask(port, '/', asks, 'OPTIONS')).status).toBe(405);
    const posted = await ask(port, '/network.json', asks, 'POST');
    expect(posted.status).toBe(405);
  });
});

describe('the way into the network', () => {
  it('is told afresh each time, and refused with a reason while there is none', async () => {
    let description: NetworkDescription | null = null;
    const { server: joining } = await serve([networkRoute(async () => description)]);
    const failed = await ask(joining.port, '/network.json');
    expect([failed.status, failed.text]).toEqual([503, expect.stringContaining('not in the network')]);
    description = { peer: '12D3KooWExample', path: '/p2p', relays: [], addresses: [] };
    const answer = await ask(joining.port, '/network.json');
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, description]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await ask(joining.port, '/network.json', {}, 'HEAD')).text).toBe('');
    await joining.close();
  });
});

describe('model files', () => {
  it('are listed with URLs that work', async () => {
    const list = await ask(port, '/models/index.json');
    expect(list.headers['cache-control']).toBe('no-cache');
    const expected = { id: 'odd', cid: CID, name: 'Odd', layers: 2, bytes: MODEL.length, license: 'MIT' };
    const urls = { manifest: `/models/${CID}/manifest.json`, files: [FILE] };
    expect(JSON.parse(list.text)).toEqual([{ ...expected, ...urls, created: expect.any(Number) }]);
    const manifest = await ask(port, urls.manifest);
    expect([manifest.text, manifest.headers['cache-control']]).toEqual([
      '{"version":1}',
      'public, max-age=31536000, immutable',
    ]);
  });

  it('come whole, and never compressed', async () => {
    const { status, headers, body } = await ask(port, FILE, { 'accept-encoding': 'gzip, br' });
    expect([status, headers['content-encoding'], headers['accept-ranges']]).toEqual([
      200,
      undefined,
      'bytes',
    ]);
    expect(body.equals(MODEL)).toBe(true);
    expect(headers['cache-control']).toContain('immutable');
  });

  it('come by exact ranges', async () => {
    const size = MODEL.length;
    const cases: [string, number, number][] = [
      ['bytes=0-0', 0, 1],
      ['bytes=100-299', 100, 300],
      [`bytes=${size - 1}-`, size - 1, size],
      ['bytes=-7', size - 7, size],
      [`bytes=5-${size * 9}`, 5, size],
    ];
    for (const [range, start, end] of cases) {
      const { status, headers, body } = await ask(port, FILE, { range });
      expect([status, headers['content-range']], range).toEqual([206, `bytes ${start}-${end - 1}/${size}`]);
      expect(headers['content-length']).toBe(String(end - start));
      expect(body.equals(MODEL.subarray(start, end)), range).toBe(true);
    }
  });

  it('come whole when the last bytes asked for are more than there are', async () => {
    const { status, body } = await ask(port, FILE, { range: `bytes=-${MODEL.length * 9}` });
    expect([status, body.equals(MODEL)]).toEqual([200, true]);
  });

  it('refuse ranges past the end with the size, and ignore what is no range', async () => {
    for (const range of [`bytes=${MODEL.length}-`, 'bytes=99999999999999999999-', 'bytes=-0']) {
      const { status, headers, body } = await ask(port, FILE, { range });
      expect([status, headers['content-range']], range).toEqual([416, `bytes */${MODEL.length}`]);
      expect(body.length).toBeLessThan(100);
    }
    for (const range of [
      'bytes=5-2',
      'bytes=a-b',
      'bytes',
      'lines=1-2',
      'bytes=0-1,4-5',
      `bytes=${'0-0,'.repeat(999)}0-0`,
    ]) {
      const { status } = await ask(port, FILE, { range });
      expect([200, 206, 416], range).toContain(status);
    }
    expect((await ask(port, '/healthz')).status).toBe(200);
  });

  it('continue a download only while it is the same file', async () => {
    const { headers } = await ask(port, FILE, {}, 'HEAD');
    const range = 'bytes=10-19';
    expect((await ask(port, FILE, { range, 'if-range': String(headers.etag) })).status).toBe(206);
    expect((await ask(port, FILE, { range, 'if-range': '"another"' })).status).toBe(200);
    expect((await ask(port, FILE, { 'if-none-match': String(headers.etag) })).status).toBe(304);
  });

  it('answer HEAD with the size and no body', async () => {
    const { status, headers, body } = await ask(port, FILE, {}, 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, String(MODEL.length), 0]);
  });

  it('are withheld once they changed on disk', async () => {
    const [file] = model.files;
    await utimes(file!.path, new Date(), new Date(1e12));
    const changed = await ask(port, FILE);
    await utimes(file!.path, new Date(), new Date(file!.modified));
    file!.modified = (await stat(file!.path)).mtimeMs;
    expect([changed.status, changed.text]).toEqual([410, expect.stringContaining('restart the relay')]);
    expect((await ask(port, FILE)).status).toBe(200);
  });
});

describe('bad requests', () => {
  it('get the right status', async () => {
    const cases: [string, number][] = [
      ['/%', 400],
      ['/%ff', 400],
      ['/a%00b', 400],
      ['/models/%E0%A4%A', 400],
      ['/models/', 404],
      ['/models/nobody/manifest.json', 404],
      [`/models/${CID}`, 404],
      [`/models/${CID}/files/`, 404],
      [`/models/${CID}/files/x/y`, 404],
      ['/models/__proto__/manifest.json', 404],
      [`/${'a'.repeat(10_000)}`, 404],
    ];
    for (const [path, status] of cases)
      expect((await ask(port, path)).status, path.slice(0, 40)).toBe(status);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
      const answer = await ask(port, '/', {}, method);
      expect([answer.status, answer.headers.allow], method).toEqual([405, 'GET, HEAD']);
    }
  });

  it('that are not even HTTP are closed, and the relay stays up', async () => {
    expect(await raw(port, randomBytes(4096))).toMatch(/^HTTP\/1.1 400 |^$/);
    expect(await raw(port, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    const close = 'Host: x\r\nConnection: close\r\n\r\n';
    expect(await raw(port, `GET http://elsewhere/ HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(port, `OPTIONS * HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 405 /);
    expect(await raw(port, `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n${close}`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await raw(port, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9e9\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 400 /,
    );
    expect(await raw(port, `CONNECT a:1 HTTP/1.1\r\n${close}`)).not.toMatch(/^HTTP\/1.1 2/);
    const upgrade = (path: string) =>
      raw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    expect(await upgrade('/elsewhere')).toMatch(/^HTTP\/1.1 400 [\s\S]*There is no WebSocket here/);
    expect(await upgrade('/p2p?x')).toMatch(/^HTTP\/1.1 503 [\s\S]*not in the network/);
    expect((await ask(port, '/healthz')).text).toBe('{"status":"ok"}');
  });

  it('a client that goes away in the middle of a file harms nobody', async () => {
    for (let i = 0; i < 50; i++) {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\n\r\n`),
      );
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
    }
    expect((await ask(port, FILE)).body.equals(MODEL)).toBe(true);
  });
});
