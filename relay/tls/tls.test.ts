import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type SecureVersion } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Client } from '../http/testing/client.ts';
import { counting, LogBook, route, serve } from '../http/testing/serve.ts';
import { ask } from '../testing/http.ts';
import { PemFiles } from './pem-files.ts';
import { PushedCertificate } from './pushed-certificate.ts';

const PATIENT = { timeout: 60_000 };
const at = (name: string) => fileURLToPath(new URL(`testing/${name}.pem`, import.meta.url));
const pem = (name: string) => readFileSync(at(name), 'latin1');
const CA = [pem('first.cert'), pem('second.cert')];
let folder: string;
let log: LogBook;
let paths: { cert: string; key: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tls-'));
  log = new LogBook();
  paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await install('first');
});
afterEach(() => rm(folder, { recursive: true }));

async function install(name: string): Promise<void> {
  await copyFile(at(`${name}.cert`), paths.cert);
  await copyFile(at(`${name}.key`), paths.key);
}

interface Secured {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  name: string;
}

/** One request over TLS, with the certificate really checked. */
function askTls(port: number, path = '/', headers: Record<string, string> = {}): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', servername: 'localhost', port, path, headers, agent: false, ca: CA };
    const outgoing = httpsRequest(options, (response) => {
      const { CN: name } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate()
        .subject as PeerCertificate['subject'];
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, name: String(name) }),
      );
    });
    outgoing.on('error', reject).end();
  });
}

it('the port speaks https, and sends plain http there', PATIENT, async () => {
  const tls = await PemFiles.open({ ...paths, log });
  const { server, port } = await serve([counting('/page')], { tls });
  const page = await askTls(port, '/page', { host: 'relay.example' });
  expect([page.status, page.text]).toEqual([200, 'ok']);
  expect(page.headers['strict-transport-security']).toBe('max-age=2592000');
  expect(page.headers.server).toBe(undefined);
  // On localhost it would bind every other port of this machine.
  expect((await askTls(port, '/page')).headers['strict-transport-security']).toBe(undefined);
  const plain = await ask(port, '/page?x=1', { host: `relay.example:${port}` });
  expect([plain.status, plain.headers.location]).toEqual([308, `https://relay.example:${port}/page?x=1`]);
  expect(plain.headers['strict-transport-security']).toBe(undefined);
  expect((await ask(port, '/page', { host: 'a b' })).status).toBe(400);
  const client = await Client.at(port);
  client.write('GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await client.closed;
  expect(client.statuses).toEqual([400]);
  await server.close();
  tls.close();
});

it('versions of TLS before 1.2 are refused', PATIENT, async () => {
  const tls = await PemFiles.open({ ...paths, log });
  const { server, port } = await serve([counting()], { tls });
  const version = async (only: SecureVersion) => {
    // The client itself would refuse to speak it otherwise.
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: CA,
      minVersion: only,
      maxVersion: only,
      ciphers,
    });
    const spoken = await Promise.race([
      once(socket, 'secureConnect').then(() => socket.getProtocol()),
      once(socket, 'error').then(([error]) => error.code),
    ]).catch((error) => error.code);
    socket.destroy();
    return spoken;
  };
  expect(await version('TLSv1.2')).toBe('TLSv1.2');
  expect(await version('TLSv1.3')).toBe('TLSv1.3');
  expect(await version('TLSv1.1')).toMatch(/PROTOCOL_VERSION|ECONNRESET|UNSUPPORTED/);
  await server.close();
  tls.close();
});

it('WebSockets come encrypted, and plain ones are told so', PATIENT, async () => {
  const tls = await PemFiles.open({ ...paths, log });
  const { server, port } = await serve([], { tls });
  const swarm = new WebSocketServer({ noServer: true });
  const from: unknown[] = [];
  server.http.on('upgrade', (request, socket, head) => {
    from.push(request.socket.remoteAddress);
    swarm.handleUpgrade(request, socket, head, (webSocket) => webSocket.send('x'.repeat(300_000)));
  });
  const peer = new WebSocket(`wss://127.0.0.1:${port}/p2p`, { ca: CA });
  expect(String((await once(peer, 'message'))[0])).toHaveLength(300_000);
  expect(from).toEqual(['127.0.0.1']);
  const plain = new WebSocket(`ws://127.0.0.1:${port}/p2p`);
  plain.on('error', () => {});
  const [, response] = await once(plain, 'unexpected-response');
  expect(response.statusCode).toBe(400);
  const gone = once(peer, 'close');
  for (const webSocket of swarm.clients) webSocket.terminate();
  await gone;
  await server.close();
  tls.close();
});

it(
  'files that change are used without a restart, also when they are replaced by renaming',
  PATIENT,
  async () => {
    // Far longer than the test: the change must be noticed by itself.
    const tls = await PemFiles.open({ ...paths, log, pollMs: 3_600_000 });
    const { server, port } = await serve([counting()], { tls });
    expect((await askTls(port)).name).toBe('localhost (first)');
    const kept = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: CA });
    await once(kept, 'secureConnect');
    await copyFile(at('second.cert'), join(folder, 'new.cert'));
    await copyFile(at('second.key'), join(folder, 'new.key'));
    const changed = new Promise((resolve) => tls.onChange(resolve));
    await rename(join(folder, 'new.cert'), paths.cert);
    await rename(join(folder, 'new.key'), paths.key);
    await changed;
    expect((await askTls(port)).name).toBe('localhost (second)');
    // Who is connected stays so.
    kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1.1 200/);
    kept.destroy();
    await server.close();
    tls.close();
  },
);

it('a broken new pair is told once, and the old one stays until there is a good one', PATIENT, async () => {
  const tls = await PemFiles.open({ ...paths, log, pollMs: 3_600_000 });
  const { server, port } = await serve([counting()], { tls });
  const bad: [() => Promise<unknown>, RegExp][] = [
    [() => copyFile(at('second.key'), paths.key), /does not belong/],
    [() => writeFile(paths.cert, 'half a fi'), /no PEM/],
    [() => rm(paths.key), /key\.pem is not there/],
    [() => writeFile(paths.key, Buffer.alloc(2 * 1024 * 1024)), /too large/],
  ];
  for (const [spoil, message] of bad) {
    await install('first');
    await tls.check();
    await spoil();
    await tls.check();
    await tls.check();
    expect(
      log.lines.filter((line) => line.startsWith('error') && message.test(line)),
      String(message),
    ).toHaveLength(1);
    expect((await askTls(port)).name).toBe('localhost (first)');
  }
  await install('second');
  await tls.check();
  expect((await askTls(port)).name).toBe('localhost (second)');
  await server.close();
  tls.close();
});

it('files behind links, as certbot keeps them, are read again when the link moves', PATIENT, async () => {
  const links = { cert: join(folder, 'live.cert'), key: join(folder, 'live.key') };
  const point = async (name: string) => {
    for (const part of ['cert', 'key'] as const) {
      await symlink(at(`${name}.${part}`), `${links[part]}.new`);
      await rename(`${links[part]}.new`, links[part]);
    }
  };
  await point('first');
  const tls = await PemFiles.open({ ...links, log, pollMs: 3_600_000 });
  const changed = new Promise((resolve) => tls.onChange(resolve));
  await point('second');
  await changed;
  expect(tls.current()?.cert).toBe(pem('second.cert'));
  tls.close();
});

it(
  'a relay with no usable certificate does not start, and says which file is to blame',
  PATIENT,
  async () => {
    await rm(paths.key);
    await expect(PemFiles.open({ ...paths, log })).rejects.toMatchObject({
      code: 'bad-certificate',
      message: expect.stringMatching(/key\.pem is not there\. See tls\.cert and tls\.key/),
    });
  },
);

it('a certificate that is pushed later turns https on, and http goes on beside it', PATIENT, async () => {
  const tls = new PushedCertificate(log);
  const { server, port } = await serve([counting()], { tls });
  expect((await ask(port, '/')).text).toBe('ok');
  // Refused with an alert, not left hanging.
  await expect(askTls(port)).rejects.toThrow(/handshake failure/i);
  expect(tls.update({ cert: pem('first.cert'), key: pem('second.key') })).toBe(false);
  expect(log.lines.at(-1)).toMatch(/^error .*does not belong/);
  expect(tls.update({ cert: pem('first.cert'), key: pem('first.key') })).toBe(true);
  expect((await askTls(port)).name).toBe('localhost (first)');
  expect((await askTls(port, '/', { host: 'a.example' })).headers['strict-transport-security']).toBe(
    undefined,
  );
  expect((await ask(port, '/')).text).toBe('ok');
  expect(tls.update({ cert: pem('second.cert'), key: pem('second.key') })).toBe(true);
  expect((await askTls(port)).name).toBe('localhost (second)');
  await server.close();
  tls.close();
});

it(
  'clients that say nothing, half a handshake or nonsense are cut off, and others are served',
  PATIENT,
  async () => {
    const tls = await PemFiles.open({ ...paths, log });
    const { server, port, guard } = await serve([counting()], { tls, times: { headers: 800 } });
    const hello = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]);
    const clients = await Promise.all(Array.from({ length: 60 }, () => Client.at(port)));
    clients.forEach((client, i) => {
      if (i % 4 === 1) client.write(hello);
      if (i % 4 === 2) client.write(Buffer.concat([Buffer.from([0x16]), Buffer.alloc(500, i)]));
      if (i % 4 === 3) client.write(Buffer.from([i, 255, 0, 1]));
    });
    expect((await askTls(port)).text).toBe('ok');
    await Promise.all(clients.map(({ closed }) => closed));
    expect((await askTls(port)).text).toBe('ok');
    expect(log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    await server.close();
    expect(guard.places.open).toBe(0);
    tls.close();
  },
);

it('a close does not wait for who is in the middle of a handshake', PATIENT, async () => {
  const tls = await PemFiles.open({ ...paths, log });
  const { server, port } = await serve([counting()], {
    tls,
    times: { headers: 80_000, close: 80_000 },
  });
  const [silent, half] = [await Client.at(port), await Client.at(port)];
  half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await askTls(port);
  await server.close();
  await Promise.all([silent.closed, half.closed]);
  tls.close();
});

it(
  'a client that reads nothing over TLS is cut off, and one whose answer is thought about is not',
  PATIENT,
  async () => {
    const tls = await PemFiles.open({ ...paths, log });
    let ended: () => void;
    const over = new Promise<void>((resolve) => {
      ended = resolve;
    });
    let answer: () => void = () => {};
    const large = route('/large', async ({ response, signal }) => {
      signal.addEventListener('abort', () => ended());
      const part = Buffer.alloc(256 * 1024);
      while (!signal.aborted) if (!response.write(part)) await once(response, 'drain', { signal });
    });
    const think = route('/think', ({ response }) => {
      answer = () => response.end('thought');
    });
    const { server, port } = await serve([large, think], { tls, times: { idle: 500, keepAlive: 500 } });
    const thought = askTls(port, '/think');
    const deaf = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: CA });
    deaf.on('error', () => {});
    await once(deaf, 'secureConnect');
    deaf.pause();
    deaf.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await over;
    answer();
    expect((await thought).text).toBe('thought');
    deaf.destroy();
    await server.close();
    tls.close();
  },
);
