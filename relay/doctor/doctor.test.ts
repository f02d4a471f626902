import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { LevelDatastore } from 'datastore-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyModel } from '../../src/sdk/testing/tiny-model.ts';
import { relayAnswering } from '../cli/testing/fake-relay.ts';
import { run } from '../cli/testing/run.ts';
import { defaults, type RelayConfig } from '../config/index.ts';
import { inspectCuda } from '../hosting/cuda.ts';
import { quietPort } from '../testing/quiet-port.ts';
import { cuda } from './cuda.ts';
import { dataFolder, dataInUse } from './data.ts';
import { CHECKS, examine } from './doctor.ts';
import { memory, nodeVersion, threads } from './machine.ts';
import { models } from './models.ts';
import { httpPort, peerPorts } from './ports.ts';
import { clock, joined, proxies, publicUrl } from './reach.ts';
import { tls } from './tls.ts';
import type { Check } from './types.ts';

let cwd: string;
let config: RelayConfig;
const closing: (() => unknown)[] = [];
const never = new AbortController().signal;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shoal-doctor-test-'));
  config = defaults(cwd);
  Object.assign(config, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(cwd, { recursive: true, force: true });
});

const look = (...checks: Check[]) => examine({ config, signal: never, checks });
/** State and sentence of a check with one finding. */
const one = async (check: Check) => {
  const [finding, ...more] = await look(check);
  expect(more).toEqual([]);
  if (finding?.state !== 'ok') expect(finding?.todo).toBeTruthy();
  return [finding?.state, finding?.seen];
};
const says = (state: string, part: string) => [state, expect.stringContaining(part)];
const pem = (name: string) => fileURLToPath(new URL(`../testing/certificates/${name}`, import.meta.url));

const relay = async (...given: Parameters<typeof relayAnswering>) => {
  const server = await relayAnswering(...given);
  closing.push(server.close);
  return server;
};
async function listen(wanted = 0): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}
/** Makes an identity in the data folder, as the relay's first start does. */
async function identity(): Promise<string> {
  const key = await generateKeyPair('Ed25519');
  await mkdir(config.data, { recursive: true });
  await writeFile(join(config.data, 'relay.key'), privateKeyToProtobuf(key));
  return peerIdFromPrivateKey(key).toString();
}
async function otherPeer(): Promise<string> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString();
}

describe('this machine', () => {
  it('has a Node.js that is new enough, or these tests would not run', async () => {
    expect(await one(nodeVersion)).toEqual(says('ok', process.versions.node));
  });

  it('has memory and threads for what is to be lent, or not', async () => {
    expect((await one(memory))[0]).toBe('ok');
    config.hosting.memory = process.availableMemory() + 1e9;
    expect(await one(memory)).toEqual(says('fail', 'hosting.memory is'));
    config.hosting.layers = 'none';
    expect(await one(memory)).toEqual(says('ok', 'No layers'));
    config.hosting = { ...config.hosting, layers: 'auto', devices: ['cuda'] };
    expect(await one(memory)).toEqual(says('ok', 'on GPUs'));
    config.hosting.threads = availableParallelism() + 1;
    expect(await one(threads)).toEqual(says('warn', 'hosting.threads'));
    config.hosting.threads = null;
    expect((await one(threads))[0]).toBe('ok');
  });
});

describe('GPU', () => {
  it('is looked at when it may be used, and must work when it was asked for', async () => {
    config.hosting.devices = ['cpu'];
    expect(await one(cuda)).toEqual(says('ok', 'Not asked for'));
    config.hosting.devices = ['cuda'];
    const { usable, problems } = await inspectCuda();
    const findings = await look(cuda);
    expect(new Set(findings.map(({ state }) => state))).toEqual(new Set([usable ? 'ok' : 'fail']));
    if (!usable) expect(findings.map(({ seen }) => seen)).toEqual(problems.map(({ what }) => what));
    config.hosting.devices = ['auto'];
    expect((await look(cuda)).some(({ state }) => state === 'fail')).toBe(false);
    config.hosting.layers = 'none';
    expect(await one(cuda)).toEqual(says('ok', 'Not needed'));
  });
});

describe('data folder', () => {
  it('is made later, is written to, or cannot be', async () => {
    expect(await one(dataFolder)).toEqual(says('ok', 'made at the first start'));
    expect(await readdir(cwd)).toEqual([]);
    await mkdir(config.data);
    expect(await one(dataFolder)).toEqual(says('ok', 'can be written'));
    expect(await readdir(config.data)).toEqual([]);
    await writeFile(join(cwd, 'file'), '');
    config.data = join(cwd, 'file');
    expect(await one(dataFolder)).toEqual(says('fail', 'is not a folder'));
    // A folder that takes no files, whoever asks.
    config.data = '/proc/self';
    expect(await one(dataFolder)).toEqual(says('fail', 'cannot be'));
  });

  it('that another process uses is found by its lock', async () => {
    expect(await one(dataInUse)).toEqual(says('ok', 'By nobody'));
    const store = new LevelDatastore(join(config.data, 'datastore'));
    await mkdir(config.data);
    await store.open();
    closing.push(() => store.close());
    expect(await one(dataInUse)).toEqual(says('fail', 'Another process uses'));
    // By the relay that this configuration started, it may be.
    const peer = await identity();
    config.port = (await relay({ '/healthz': { status: 'ok' }, '/network.json': { peer } })).port;
    expect(await one(dataInUse)).toEqual(says('ok', 'By the relay that runs'));
    await store.close();
    config.port = 0;
    expect(await one(dataInUse)).toEqual(says('ok', 'By nobody'));
  });
});

describe('ports', () => {
  it('are free, taken by a program, by this relay or by another one', async () => {
    expect(await one(httpPort)).toEqual(says('ok', 'Any free one'));
    const { server, port } = await listen();
    config.port = port;
    // It takes connections and says nothing: that must not hang the whole examination for long.
    server.on('connection', (socket) => socket.destroy());
    expect(await one(httpPort)).toEqual(says('fail', 'Another program'));
    await new Promise((resolve) => server.close(resolve));
    expect(await one(httpPort)).toEqual(says('ok', 'is free'));
    const peer = await otherPeer();
    config.port = (await relay({ '/healthz': { status: 'ok' }, '/network.json': { peer } })).port;
    expect(await one(httpPort)).toEqual(says('ok', 'A relay runs'));
    await identity();
    expect(await one(httpPort)).toEqual(says('fail', 'Another relay'));
  });

  it('cannot be had on an address that the machine does not have', async () => {
    Object.assign(config, { host: '192.0.2.1', port: 18080, hosting: { ...config.hosting } });
    expect(await one(httpPort)).toEqual(says('fail', 'no address of this machine'));
  });

  it('of peers are looked at in TCP and UDP', async () => {
    expect(await one(peerPorts)).toEqual(says('warn', 'network.webrtcPort is not set'));
    const [tcp, udp] = [await quietPort(), await quietPort()];
    await listen(tcp);
    const socket = createSocket('udp4');
    socket.bind(udp, '127.0.0.1');
    await once(socket, 'listening');
    Object.assign(config.network, { tcpPort: tcp, webrtcPort: udp });
    expect((await look(peerPorts)).map(({ state }) => state)).toEqual(['fail', 'fail']);
    // The port of the UDP socket is free in TCP, and the other way round.
    Object.assign(config.network, { tcpPort: udp, webrtcPort: tcp });
    expect((await look(peerPorts)).map(({ state }) => state)).toEqual(['ok', 'ok']);
    Object.assign(config.network, { tcpPort: null, webrtcPort: udp });
    config.port = (await relay({ '/healthz': { status: 'ok' } })).port;
    expect(await one(peerPorts)).toEqual(says('ok', 'while a relay runs here'));
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  });
});

describe('certificate', () => {
  const pair = (name: string, key = name) => {
    Object.assign(config.tls, { cert: pem(`${name}.pem`), key: pem(`${key}.key.pem`) });
  };
  const states = async () => (await look(tls)).map(({ state, seen }) => `${state}: ${seen}`).join('\n');

  it('is valid, covers the host, and is self-signed', async () => {
    expect(await one(tls)).toEqual(says('ok', 'plain HTTP'));
    pair('localhost');
    config.url = 'https://localhost:8443/';
    expect(await states()).toMatch(
      /^ok: It is valid for \d{5} more days\.\nok: It covers localhost\.\nwarn: It is self-signed/,
    );
    config.url = 'https://127.0.0.1/';
    expect(await states()).toContain('ok: It covers 127.0.0.1');
    config.url = 'https://[::1]/';
    expect(await states()).toContain('ok: It covers ::1');
    config.url = null;
    expect(await states()).toContain('warn: It is for DNS:localhost');
  });

  it.each<[string, () => void, string]>([
    ['of another host', () => pair('other'), 'fail: It is for DNS:other.example, not for localhost'],
    ['that expired', () => pair('expired'), 'fail: It expired on'],
    ['without its chain', () => pair('leaf'), 'warn: It comes without its chain'],
    [
      'with another key',
      () => pair('localhost', 'other'),
      'fail: Key and certificate do not belong together',
    ],
    ['that is not there', () => pair('absent', 'localhost'), 'fail: '],
    ['whose key is not there', () => pair('localhost', 'absent'), 'absent.key.pem cannot be read'],
    [
      'that is a key',
      () => Object.assign(config.tls, { cert: pem('leaf.key.pem'), key: pem('leaf.key.pem') }),
      'holds no certificate',
    ],
    [
      'whose key is a certificate',
      () => Object.assign(config.tls, { cert: pem('leaf.pem'), key: pem('leaf.pem') }),
      'holds no private key',
    ],
  ])('%s', async (_what, set, told) => {
    config.url = 'https://localhost/';
    set();
    expect(await states()).toContain(told);
  });
});

describe('the way to others', () => {
  it('leads to this relay, another one, something else, or nowhere', async () => {
    expect(await one(publicUrl)).toEqual(says('ok', 'not set'));
    const peer = await identity();
    const here = await relay({ '/healthz': { status: 'ok' }, '/network.json': { peer } });
    config.url = `${here.url}/`;
    expect(await one(publicUrl)).toEqual(says('ok', 'as seen from this machine'));
    const other = await relay({ '/network.json': { peer: await otherPeer() } });
    config.url = `${other.url}/`;
    expect(await one(publicUrl)).toEqual(says('fail', 'is another relay'));
    const { url } = await relay({});
    config.url = `${url}/`;
    expect(await one(publicUrl)).toEqual(says('fail', 'not as a relay'));
    const { server, port } = await listen();
    await new Promise((resolve) => server.close(resolve));
    config.url = `http://127.0.0.1:${port}/`;
    expect(await one(publicUrl)).toEqual(says('warn', 'nothing listens there'));
    config.port = here.port;
    expect(await one(publicUrl)).toEqual(says('fail', 'The relay runs, but'));
  });

  it('to relays to join is looked at one by one', async () => {
    expect(await one(joined)).toEqual(says('ok', 'None'));
    const own = await identity();
    const peer = await otherPeer();
    const good = await relay({ '/network.json': { peer } });
    const self = await relay({ '/network.json': { peer: own } });
    const strange = await relay({ '/network.json': { peer: '<script>' } });
    const { server, port } = await listen();
    await new Promise((resolve) => server.close(resolve));
    config.network.join = [
      good.url,
      `/ip4/127.0.0.1/tcp/${good.port}/ws/p2p/${peer}`,
      self.url,
      strange.url,
      `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}`,
      `/ip4/127.0.0.1/tcp/${port}/p2p/${own}`,
      `http://127.0.0.1:${port}/`,
      `/ip4/127.0.0.1/udp/9/webrtc-direct/p2p/${peer}`,
    ];
    expect((await look(joined)).map(({ state }) => state)).toEqual([
      'ok',
      'ok',
      'warn',
      'warn',
      'warn',
      'warn',
      'warn',
      'ok',
    ]);
  });

  it('shows whether the clock is right', async () => {
    expect(await one(clock)).toEqual(says('ok', 'Not compared'));
    const { url } = await relay({ '/network.json': {} });
    config.network.join = [url];
    expect(await one(clock)).toEqual(says('ok', 'Within'));
    const { createServer: http } = await import('node:http');
    const ahead = (ms: number) => {
      const server = http((_request, response) => {
        response.setHeader('Date', new Date(Date.now() + ms).toUTCString());
        response.end('{}');
      });
      closing.push(() => server.close());
      return new Promise<string>((resolve) =>
        server.listen(0, '127.0.0.1', () =>
          resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}/`),
        ),
      );
    };
    config.network.join = [await ahead(600_000)];
    expect(await one(clock)).toEqual(says('warn', 's behind the others'));
    config.network.join = [await ahead(-86_400_000)];
    expect(await one(clock)).toEqual(says('fail', 's ahead of the others'));
    // One server with a wrong clock says nothing about ours.
    config.network.join.push(url);
    expect((await one(clock))[0]).toBe('ok');
  });

  it('through a proxy makes sense', async () => {
    expect((await one(proxies))[0]).toBe('ok');
    config.url = 'https://a.example/';
    expect(await one(proxies)).toEqual(says('ok', 'loopback'));
    config.limits.trustedProxies = [];
    expect(await one(proxies)).toEqual(says('warn', 'limits.trustedProxies is empty'));
    config.tls.auto = true;
    expect((await one(proxies))[0]).toBe('ok');
    config.url = 'http://a.example/';
    expect(await one(proxies)).toEqual(says('warn', 'GPU only over https'));
  });
});

describe('models', () => {
  it('are on this machine, at a URL that answers, or nowhere; and the disk has room', async () => {
    const bytes = tinyModel();
    await writeFile(join(cwd, 'tiny.gguf'), bytes);
    await mkdir(join(cwd, 'empty'));
    config.models = [join(cwd, 'tiny.gguf')];
    const [there, disk] = await look(models);
    expect([there?.state, there?.seen]).toEqual(says('ok', 'on this machine'));
    expect([disk?.state, disk?.seen]).toEqual([
      expect.stringMatching(/ok|warn/),
      expect.stringContaining('are free'),
    ]);
    config.models = [join(cwd, 'absent.gguf'), join(cwd, 'empty')];
    const found = await look(models);
    expect(found.slice(0, 2).map(({ state }) => state)).toEqual(['fail', 'fail']);
    const { url } = await relay({});
    config.models = [`${url}/absent.gguf`];
    expect((await look(models))[0]).toMatchObject({ state: 'fail' });
  });
});

describe('the examination', () => {
  it('tells everything in order, also what a check throws and what hangs', async () => {
    const thrown: Check = { name: 'Thrown', run: async () => Promise.reject(new Error('It broke.')) };
    const hangs: Check = { name: 'Hangs', run: () => new Promise(() => {}) };
    const told: string[] = [];
    const findings = await examine(
      { config, signal: never, checks: [hangs, thrown, nodeVersion], deadlineMs: 50 },
      (some) => told.push(...some.map(({ name }) => name)),
    );
    expect(findings.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'Hangs warn',
      'Thrown fail',
      'Node.js ok',
    ]);
    expect(told).toEqual(['Hangs', 'Thrown', 'Node.js']);
  });

  it('stops at once when it is cancelled', async () => {
    const stop = new AbortController();
    const hangs: Check = { name: 'Hangs', run: () => new Promise(() => {}) };
    const examined = examine({ config, signal: stop.signal, checks: [hangs], deadlineMs: 1000 });
    stop.abort(new Error('enough'));
    await expect(examined).rejects.toThrow('enough');
  });

  it('as a command prints signs with words, or JSON, and its code says whether anything failed', async () => {
    await writeFile(join(cwd, 'tiny.gguf'), tinyModel());
    const good = [
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--webrtc-port',
      '0',
      '--model',
      'tiny.gguf',
      '--devices',
      'cpu',
      '--layers',
      'none',
    ];
    const fine = await run(['doctor', ...good], { cwd });
    expect(fine.out).toMatch(/^No configuration file\.\n\n✓ ok {4}Node\.js/);
    expect([fine.code, fine.notes]).toEqual([0, '']);
    const bad = await run(
      ['doctor', ...good, '--tls-cert', pem('expired.pem'), '--tls-key', pem('expired.key.pem')],
      { cwd },
    );
    expect([bad.code, bad.out]).toEqual([
      1,
      expect.stringMatching(/✗ FAIL {2}Certificate +It expired on.*\n +→ Renew it/),
    ]);
    const json = await run(['doctor', ...good, '--json'], { cwd });
    const { ok, findings } = JSON.parse(json.out);
    expect([ok, new Set(findings.map(({ name }: { name: string }) => name)).size]).toEqual([
      true,
      CHECKS.length - 1,
    ]);
    expect(await readdir(cwd)).toEqual(['tiny.gguf']);
  });
});
