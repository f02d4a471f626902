import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyModel } from '../../src/sdk/testing/tiny-model.ts';
import { KeyFile } from '../api/keys.ts';
import { readConfig } from '../config/index.ts';
import { quietPort } from '../testing/quiet-port.ts';
import { COMMANDS } from './run-command.ts';
import { relayAnswering } from './testing/fake-relay.ts';
import { run as runIn } from './testing/run.ts';

let cwd: string;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shoal-cli-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(cwd, { recursive: true, force: true });
});

const run = (argv: string[], more: Partial<Parameters<typeof runIn>[1]> = {}) =>
  runIn(argv, { cwd, ...more });
const relay = async (...given: Parameters<typeof relayAnswering>) => {
  const server = await relayAnswering(...given);
  closing.push(server.close);
  return server;
};
const HEALTH = { status: 'ok', preparing: [], network: { peers: 3, reservations: 2, records: 5 } };
const NETWORK = {
  relay: { peer: '12D3KooWabc', version: '0.1.0', uptime_s: 7300, url: null },
  models: [{ id: 'tiny', cid: 'bafy', name: 'Tiny', layers: 2, coverage: [1, 0], holders: 1 }],
  peers: { total: 7, hosting: 2, by_path: {} },
  relays: [{ peer: 'zzz', state: 'connected' }],
  reservations: 4,
  records: 9,
  answers: { running: 1, waiting: 2, today: 3, total: 40, tokens_total: 500 },
  relayed_bytes: 5_000_000,
};

describe('which command runs', () => {
  it('is start without one, or when a flag comes first', async () => {
    for (const argv of [[], ['start']]) expect((await run(argv)).started?.config.port).toBe(8080);
    const { started, code } = await run(['--port', '9000']);
    expect([code, started?.config.port, started?.sources.get('port')]).toEqual([0, 9000, '--port']);
  });

  it('is refused with the one that was meant', async () => {
    expect(await run(['statsu'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('Did you mean status?'),
    });
    expect(await run(['xyzzy'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('There are start, init'),
    });
    const late = await run(['--port', '80', 'status']);
    expect([late.code, late.started, late.notes]).toEqual([
      2,
      null,
      expect.stringContaining('A command comes first'),
    ]);
    expect(await run(['--port', 'eighty'])).toMatchObject({
      code: 2,
      notes: '--port takes a port from 0 to 65535, not "eighty".\n',
    });
  });

  it('teaches each command with an example, even where the file is broken', async () => {
    await writeFile(join(cwd, 'shoal.yaml'), 'port: [');
    const all = await run(['--help']);
    expect(all.code).toBe(0);
    for (const flag of ['--port', '--host', '--data', '--model', '--layers', '--memory'])
      expect(all.out).toContain(flag);
    for (const { name, own } of COMMANDS) {
      expect(all.out).toContain(`  ${name} `);
      const { code, out, started } = await run([name, '--help']);
      expect([code, started, out]).toEqual([
        0,
        null,
        expect.stringContaining(`Example:  shoal-relay ${name}`),
      ]);
      for (const flag of Object.keys(own)) expect(out).toContain(`--${flag}`);
    }
    const start = await run(['start', '-h']);
    expect(start.out).toContain('SHOAL_LIMITS_MEMORY_SHARE');
  });
});

describe('init', () => {
  it('writes what the flags say, makes the data folder, and says what comes next', async () => {
    const { code, out } = await run([
      'init',
      '--url',
      'https://shoal.example.org',
      '--port',
      '8443',
      '--memory',
      '8GB',
      '--data',
      'store',
    ]);
    expect([code, out]).toEqual([0, expect.stringContaining('shoal-relay doctor')]);
    expect(out).toContain('open UDP port 8443');
    expect((await stat(join(cwd, 'store'))).isDirectory()).toBe(true);
    const { config, sources } = await readConfig([], {}, { cwd });
    expect(config).toMatchObject({
      url: 'https://shoal.example.org/',
      port: 8443,
      data: join(cwd, 'store'),
      network: { webrtcPort: 8443 },
      hosting: { memory: 8e9 },
    });
    expect([...sources.values()].filter((from) => from !== 'default')).toHaveLength(5);
  });

  it('keeps a file that is there, without --force', async () => {
    await writeFile(join(cwd, 'shoal.yaml'), 'broken: [');
    expect(await run(['init'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('is there already'),
    });
    expect(await readFile(join(cwd, 'shoal.yaml'), 'utf8')).toBe('broken: [');
    expect((await run(['init', '--force'])).code).toBe(0);
    expect((await readConfig([], {}, { cwd })).config.network.webrtcPort).toBe(8080);
  });

  it('writes elsewhere, with a data folder that the file then names', async () => {
    const { code, out } = await run(['init', '--config', 'etc/relay.yaml', '--webrtc-port', 'none']);
    expect([code, out]).toEqual([0, expect.stringContaining(`--config ${join(cwd, 'etc/relay.yaml')}`)]);
    expect(await readdir(cwd)).toEqual(['data', 'etc']);
    const { config } = await readConfig(['--config', 'etc/relay.yaml'], {}, { cwd });
    expect([config.data, config.network.webrtcPort]).toEqual([join(cwd, 'data'), null]);
    expect(await run(['init', '--config', 'etc/relay.yaml/x'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('cannot be written'),
    });
  });

  it('asks on a terminal for what no flag says, and again after a slip', async () => {
    const { code, out } = await run(['init', '--port', '9000'], {
      typed: ['shoal.example.org', 'https://shoal.example.org', ''],
    });
    expect([code, out]).toEqual([0, expect.stringContaining('It takes an address such as')]);
    const { config } = await readConfig([], {}, { cwd });
    expect([config.url, config.port, config.network.webrtcPort]).toEqual([
      'https://shoal.example.org/',
      9000,
      9000,
    ]);
    const quiet = await run(['init', '--force', '--yes'], { typed: ['https://other.example'] });
    expect([quiet.code, (await readConfig([], {}, { cwd })).config.url]).toEqual([0, null]);
  });
});

describe('status', () => {
  it('tells how a relay is, for people and as JSON', async () => {
    const { url, port } = await relay({ '/healthz': HEALTH, '/v1/network': NETWORK });
    for (const argv of [
      ['--at', url],
      ['--port', String(port)],
    ]) {
      const { code, out } = await run(['status', ...argv]);
      expect(code).toBe(0);
      for (const part of [
        'up 2 h',
        '7 connected, 2 lending',
        '1 running, 2 waiting, 40 in all',
        '5.0 MB',
        'tiny',
        'held by nobody',
      ])
        expect(out).toContain(part);
    }
    const { out } = await run(['status', '--at', url, '--json']);
    expect(JSON.parse(out)).toEqual({ health: HEALTH, network: NETWORK });
  });

  it('takes a relay without /v1/network, and fields of any kind', async () => {
    const older = await relay({ '/healthz': HEALTH });
    expect((await run(['status', '--at', older.url])).out).toContain('3 connected');
    const strange = await relay({
      '/healthz': { status: 'ok\x1b[2J', hosting: 3, preparing: [null, 1, { model: 'm', done: 'x' }] },
      '/v1/network': {
        relay: [],
        models: [{ coverage: 'x' }, null],
        relays: [{}],
        peers: null,
        relayed_bytes: '5',
      },
    });
    const { code, out } = await run(['status', '--at', strange.url]);
    expect([code, out]).toEqual([0, expect.stringContaining('ok?[2J')]);
    expect(out).not.toContain('\x1b');
  });

  it('speaks https to itself, whatever the name in its certificate', async () => {
    const at = (name: string) => new URL(`../testing/certificates/${name}`, import.meta.url);
    const [cert, key] = await Promise.all(['other.pem', 'other.key.pem'].map((name) => readFile(at(name))));
    const { port, url } = await relay({ '/healthz': HEALTH }, { cert, key });
    expect((await run(['status', '--port', String(port), '--tls-cert', 'c', '--tls-key', 'k'])).code).toBe(0);
    // Somebody else's certificate has to be right.
    expect(await run(['status', '--at', url])).toMatchObject({
      code: 3,
      notes: expect.stringContaining('self-signed'),
    });
  });

  it('ends with 3 and one line when nobody answers, or somebody else does', async () => {
    const server = await relay({ '/healthz': ['no relay'] });
    const other = await run(['status', '--at', server.url]);
    expect([other.code, other.out, other.notes]).toEqual([
      3,
      '',
      `No relay answers at ${server.url}: what answers there is no relay.\n`,
    ]);
    await closing.pop()?.();
    expect(await run(['status', '--at', server.url])).toMatchObject({
      code: 3,
      notes: `No relay answers at ${server.url}: nothing listens there.\n`,
    });
    expect((await run(['status', '--at', 'nonsense'])).code).toBe(2);
    expect((await run(['status', '--port', '0'])).code).toBe(2);
  });

  it('stops on Ctrl-C, also when the relay hangs', async () => {
    const server = createServer();
    const connected = new Promise<void>((resolve) => server.once('connection', () => resolve()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stop = new AbortController();
    const { port } = server.address() as { port: number };
    const running = run(['status', '--at', `http://127.0.0.1:${port}`], { signal: stop.signal });
    await connected;
    stop.abort();
    expect(await running).toMatchObject({ code: 130, notes: '' });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('keys', () => {
  it('are made, listed and revoked, and a relay that runs knows', async () => {
    const file = await KeyFile.open(join(cwd, 'data'));
    const made = await run(['keys', 'add', '--name', 'laptop', '--requests-per-minute', '60']);
    expect([made.code, made.notes]).toEqual([0, expect.stringContaining('laptop')]);
    expect(made.out).toMatch(/^sk-\S{20,}\n$/);
    expect(file.list()).toMatchObject([{ name: 'laptop', requestsPerMinute: 60, tokensPerDay: null }]);
    const other = JSON.parse((await run(['keys', 'add', 'phone', '--tokens-per-day=1000', '--json'])).out);
    expect(other).toMatchObject({ name: 'phone', tokensPerDay: 1000, key: expect.stringMatching(/^sk-/) });
    const listed = await run(['keys']);
    expect(listed.out).toMatch(/laptop .*60 .*any\n.*phone .*the relay's .*1000/);
    expect(listed.out).not.toContain(made.out.trim());
    expect(JSON.parse((await run(['keys', 'list', '--json'])).out)).toHaveLength(2);
    expect((await run(['keys', 'revoke', 'laptop'])).out).toContain('is revoked');
    expect((await run(['keys', 'revoke', other.id])).code).toBe(0);
    expect([file.list(), (await run(['keys', 'list'])).out]).toEqual([
      [],
      expect.stringContaining('There are no keys'),
    ]);
  });

  it.each<[string[], string]>([
    [['lst'], 'Did you mean list?'],
    [['revoke'], 'Say which key'],
    [['revoke', 'nobody'], 'There is no key'],
    [['add', 'a', 'b'], 'in quotes'],
    [['add', '--requests-per-minute', '0'], '--requests-per-minute takes a whole number'],
    [['add', '--name', '\u001b[2J'], 'name'],
  ])('%j is refused', async (argv, message) => {
    const { code, out, notes } = await run(['keys', ...argv]);
    expect([code, out, notes]).toEqual([2, '', expect.stringContaining(message)]);
    expect(notes).not.toMatch(/\n\s+at /);
  });
});

describe('models', () => {
  it('are fetched from a URL with progress, listed, and removed', async () => {
    const bytes = tinyModel();
    const { createServer: createHttp } = await import('node:http');
    const server = createHttp((request, response) => {
      const [, from = '0', to = `${bytes.length - 1}`] =
        /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
      const part = bytes.subarray(Number(from), Number(to) + 1);
      response.writeHead(206, {
        'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
        'Content-Length': part.length,
        'Accept-Ranges': 'bytes',
      });
      response.end(request.method === 'HEAD' ? undefined : part);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/tiny.gguf`;
    const fetched = await run(['models', 'fetch', url]);
    expect([fetched.code, fetched.notes]).toEqual([0, '']);
    expect(fetched.out).toMatch(/Fetching from .*100 %[\s\S]* is here: .*2 layers, cid baf/);
    const nobody = ['--port', String(await quietPort())];
    const listed = await run(['models', ...nobody]);
    expect(listed.out).toMatch(
      /smollm2-135m-instruct .*to be fetched[\s\S]*tiny\.gguf .* kB[\s\S]*No relay runs here now/,
    );
    const { port } = await relay({ '/healthz': HEALTH, '/v1/network': NETWORK });
    expect((await run(['models', 'list', '--port', String(port)])).out).toMatch(/Served at .*\n {2}tiny\n/);
    const json = JSON.parse((await run(['models', 'list', '--json', ...nobody])).out);
    expect(json).toMatchObject({ files: [{ name: 'tiny.gguf', bytes: bytes.length }], served: null });
    const removed = await run(['models', 'remove', 'tiny.gguf', ...nobody]);
    expect([removed.code, removed.out]).toEqual([0, expect.stringContaining('are free again')]);
    expect(await readdir(join(cwd, 'data/models'))).toEqual([]);
  });

  it('in the catalogue are removed with what belongs to them, but not under a relay that serves them', async () => {
    const folder = join(cwd, 'data/models');
    await mkdir(folder, { recursive: true });
    const name = 'SmolLM2-135M-Instruct.Q4_1.gguf';
    for (const file of [name, `${name}.part`, `${name}.manifest.json`, 'other.gguf'])
      await writeFile(join(folder, file), 'x');
    const id = 'smollm2-135m-instruct';
    const { port } = await relay({ '/healthz': HEALTH, '/v1/network': { models: [{ id }] } });
    expect(await run(['models', 'remove', id, '--port', String(port)])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('serves'),
    });
    expect((await run(['models', 'remove', id, '--port', String(await quietPort())])).code).toBe(0);
    expect(await readdir(folder)).toEqual(['other.gguf']);
  });

  it.each([
    [['remove', '../../x'], 'No model is called'],
    [['remove', '.'], 'No model is called'],
    [['remove', 'smollm2-135m-instruct'], 'nothing to remove'],
    [['remove'], 'Say which model'],
    [['fetch', 'smollm2-135m'], 'No model is called'],
    [['fetch', 'smollm2-135m-instrcut'], 'Did you mean smollm2-135m-instruct?'],
    [['ftech', 'x'], 'Did you mean fetch?'],
  ])('%j is refused, and nothing is touched', async (argv, message) => {
    await writeFile(join(cwd, 'x'), 'kept');
    const { code, notes } = await run(['models', ...argv]);
    expect([code, notes]).toEqual([2, expect.stringContaining(message)]);
    expect(await readFile(join(cwd, 'x'), 'utf8')).toBe('kept');
  });
});
