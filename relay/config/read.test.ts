import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RelayError } from '../errors.ts';
import { KEY_PATHS, KEYS, type KeyPath } from './keys.ts';
import { flagOf, variableOf } from './names.ts';
import { readConfig, valueIn } from './read.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shoal-config-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const read = (argv: string[] = [], env: NodeJS.ProcessEnv = {}) => readConfig(argv, env, { cwd });
const refusal = async (argv: string[] = [], env: NodeJS.ProcessEnv = {}) => {
  try {
    await read(argv, env);
  } catch (error) {
    if (error instanceof RelayError && error.code === 'usage') return error.message;
    throw error;
  }
  return 'accepted';
};
const file = (text: string, name = 'shoal.yaml') => writeFile(join(cwd, name), text);

/** For every key two values that differ from the default and from each other, as text, with what they mean. */
const VALUES: { readonly [P in KeyPath]: readonly [[string, unknown], [string, unknown]] } = {
  host: [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ],
  port: [
    ['9000', 9000],
    ['0', 0],
  ],
  data: [
    ['/srv/shoal', '/srv/shoal'],
    ['/srv/other', '/srv/other'],
  ],
  url: [
    ['https://a.example', 'https://a.example/'],
    ['http://b.example:81/', 'http://b.example:81/'],
  ],
  models: [
    ['/m/a.gguf', ['/m/a.gguf']],
    ['https://a.example/b.gguf', ['https://a.example/b.gguf']],
  ],
  drainSeconds: [
    ['5', 5],
    ['60', 60],
  ],
  'tls.cert': [
    ['/c.pem', '/c.pem'],
    ['/d.pem', '/d.pem'],
  ],
  'tls.key': [
    ['/k.pem', '/k.pem'],
    ['/l.pem', '/l.pem'],
  ],
  'tls.auto': [
    ['true', true],
    ['yes', true],
  ],
  'network.tcpPort': [
    ['4001', 4001],
    ['0', 0],
  ],
  'network.webrtcPort': [
    ['8080', 8080],
    ['0', 0],
  ],
  'network.announce': [
    ['/ip4/1.2.3.4/tcp/1', ['/ip4/1.2.3.4/tcp/1']],
    ['/dns/a.example/tcp/2', ['/dns/a.example/tcp/2']],
  ],
  'network.join': [
    ['https://a.example', ['https://a.example/']],
    ['http://b.example', ['http://b.example/']],
  ],
  'network.peers': [
    ['300', 300],
    ['400', 400],
  ],
  'network.peersPerAddress': [
    ['3', 3],
    ['4', 4],
  ],
  'network.joinsPerSecond': [
    ['5', 5],
    ['6', 6],
  ],
  'network.relayedBytes': [
    ['1MiB', 2 ** 20],
    ['2GB', 2e9],
  ],
  'network.relayedSeconds': [
    ['60', 60],
    ['90', 90],
  ],
  'hosting.layers': [
    ['5-20', { start: 5, end: 20 }],
    ['none', 'none'],
  ],
  'hosting.memory': [
    ['512MB', 512e6],
    ['1.5GiB', 1.5 * 2 ** 30],
  ],
  'hosting.devices': [
    ['cpu', ['cpu']],
    ['cuda:1', ['cuda:1']],
  ],
  'hosting.threads': [
    ['2', 2],
    ['3', 3],
  ],
  'hosting.sessions': [
    ['8', 8],
    ['9', 9],
  ],
  'api.enabled': [
    ['false', false],
    ['no', false],
  ],
  'api.keys': [
    ['required', 'required'],
    ['optional', 'optional'],
  ],
  'api.route': [
    ['own', 'own'],
    ['network', 'network'],
  ],
  'api.answers': [
    ['40', 40],
    ['50', 50],
  ],
  'api.answersPerClient': [
    ['1', 1],
    ['2', 2],
  ],
  'api.waiting': [
    ['20', 20],
    ['30', 30],
  ],
  'api.waitingPerClient': [
    ['0', 0],
    ['1', 1],
  ],
  'api.requestsPerMinute': [
    ['10', 10],
    ['20', 20],
  ],
  'api.maxTokens': [
    ['1024', 1024],
    ['2048', 2048],
  ],
  'api.bodyBytes': [
    ['1MB', 1e6],
    ['2MB', 2e6],
  ],
  'limits.connections': [
    ['1000', 1000],
    ['2000', 2000],
  ],
  'limits.connectionsPerAddress': [
    ['10', 10],
    ['20', 20],
  ],
  'limits.requestsPerMinute': [
    ['100', 100],
    ['200', 200],
  ],
  'limits.trustedProxies': [
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['::1', ['::1']],
  ],
  'limits.memoryShare': [
    ['0.5', 0.5],
    ['1', 1],
  ],
  'log.level': [
    ['debug', 'debug'],
    ['error', 'error'],
  ],
  'log.format': [
    ['json', 'json'],
    ['text', 'text'],
  ],
};

/** A certificate without its key is refused, so the other one comes along. */
const company = (path: KeyPath): string[] =>
  path === 'tls.cert' ? ['--tls-key', '/x'] : path === 'tls.key' ? ['--tls-cert', '/x'] : [];

const yaml = (path: KeyPath, text: string) => {
  const [group, key] = path.split('.');
  return key === undefined ? `${path}: ${text}\n` : `${group}:\n  ${key}: ${text}\n`;
};

const json = (path: KeyPath, text: string) => {
  const [group = '', key] = path.split('.');
  return JSON.stringify(key === undefined ? { [path]: text } : { [group]: { [key]: text } });
};

describe('every key', () => {
  it.each(KEY_PATHS)('%s can be set by flag, variable, file and JSON, in this order', async (path) => {
    const [[first, one], [second, other]] = VALUES[path];
    const flags = [
      ...(KEYS[path].kind.flag ? [`${flagOf(path)}=${first}`] : [flagOf(path), first]),
      ...company(path),
    ];
    const value = async (argv: string[], env: NodeJS.ProcessEnv = {}, others = company(path)) => {
      const { config, sources } = await read([...others, ...argv], env);
      return [valueIn(config, path), sources.get(path)];
    };
    const initial = path === 'data' ? join(cwd, 'data') : KEYS[path].default;
    expect(await value([], {}, [])).toEqual([initial, 'default']);
    await file(json(path, first), 'shoal.json');
    expect((await value([]))[0]).toEqual(one);
    await file(yaml(path, second));
    const line = path.includes('.') ? 2 : 1;
    expect(await value([])).toEqual([other, `${join(cwd, 'shoal.yaml')}, line ${line}: ${path}`]);
    expect(await value([], { [variableOf(path)]: first })).toEqual([one, variableOf(path)]);
    expect(await value(flags, { [variableOf(path)]: second })).toEqual([one, flagOf(path)]);
  });
});

describe('the names of every day', () => {
  it('works as before with the six flags and variables there were', async () => {
    const argv = [
      '--port',
      '9000',
      '--host=127.0.0.1',
      '--data',
      '/srv',
      '--model',
      'a.gguf',
      '--model',
      'b',
      '--layers',
      '5-20',
      '--memory=1.5 GB',
    ];
    expect((await read(argv)).config).toMatchObject({
      port: 9000,
      host: '127.0.0.1',
      data: '/srv',
      models: [join(cwd, 'a.gguf'), join(cwd, 'b')],
      hosting: { layers: { start: 5, end: 20 }, memory: 1_500_000_000 },
    });
    const env = {
      SHOAL_PORT: '1',
      SHOAL_HOST: '::1',
      SHOAL_DATA: 'd',
      SHOAL_MODEL: 'm,1.gguf',
      SHOAL_LAYERS: '0-1',
      SHOAL_MEMORY: '2GB',
    };
    expect((await read([], env)).config).toMatchObject({
      port: 1,
      host: '::1',
      data: join(cwd, 'd'),
      models: [join(cwd, 'm,1.gguf')],
      hosting: { layers: { start: 0, end: 1 }, memory: 2e9 },
    });
    const empty = Object.fromEntries(Object.keys(env).map((name) => [name, '']));
    expect((await read([], empty)).config).toEqual((await read()).config);
  });

  it('takes lists by repeating a flag or with commas, and --no- for what is on', async () => {
    const { config } = await read(
      [
        '--join',
        'https://a.example',
        '--join=https://b.example',
        '--devices',
        'cuda:0, cuda:1',
        '--no-api-enabled',
        '--limits-trusted-proxies',
        'none',
      ],
      {
        SHOAL_MODELS: 'https://a.example/a.gguf, smollm2-135m-instruct',
        SHOAL_ANNOUNCE: '/ip4/1.2.3.4/tcp/1,/ip4/1.2.3.4/tcp/1',
      },
    );
    expect(config.network.join).toEqual(['https://a.example/', 'https://b.example/']);
    expect(config.network.announce).toEqual(['/ip4/1.2.3.4/tcp/1']);
    expect(config.hosting.devices).toEqual(['cuda:0', 'cuda:1']);
    expect(config.models).toEqual(['https://a.example/a.gguf', 'smollm2-135m-instruct']);
    expect([config.api.enabled, config.limits.trustedProxies]).toEqual([false, []]);
  });

  it('starts relative paths of flags here and those of a file at the file', async () => {
    await mkdir(join(cwd, 'etc'));
    await file('data: d\nmodels: [m.gguf, smollm2-135m-instruct]\n', 'etc/shoal.yaml');
    const { config, file: path } = await read(['--config', 'etc/shoal.yaml', '--tls-cert=c', '--tls-key=k']);
    expect(path).toBe(join(cwd, 'etc/shoal.yaml'));
    expect(config.data).toBe(join(cwd, 'etc/d'));
    expect(config.models).toEqual([join(cwd, 'etc/m.gguf'), 'smollm2-135m-instruct']);
    expect(config.tls.cert).toBe(join(cwd, 'c'));
  });

  it('gives own flags of a command, and what is no flag', async () => {
    const own = { json: { placeholder: '', help: '' }, at: { placeholder: 'URL', help: '' } };
    const { options, rest } = await readConfig(
      ['a', '--json', '--at', 'x', '--port=1', 'b'],
      {},
      { cwd, own },
    );
    expect([...options]).toEqual([
      ['json', true],
      ['at', 'x'],
    ]);
    expect(rest).toEqual(['a', 'b']);
    expect(await refusal(['--at', 'x'])).toContain('There is no flag --at.');
  });
});

describe('what is wrong is named', () => {
  it('by the flag, the variable, or the file with its line, with what the key takes and what it got', async () => {
    for (const port of ['80a', '-1', '65536', '1e3', ' 80', '0x50', '999999999999'])
      expect(await refusal([`--port=${port}`])).toBe(
        `--port takes a port from 0 to 65535, not ${JSON.stringify(port)}.`,
      );
    expect(await refusal([], { SHOAL_PORT: 'http' })).toBe(
      'SHOAL_PORT takes a port from 0 to 65535, not "http".',
    );
    await file('# one\nnetwork:\n  # two\n  tcpPort: [1, 2]\n');
    expect(await refusal()).toBe(
      `${join(cwd, 'shoal.yaml')}, line 4: network.tcpPort takes a port from 0 to 65535, or none, not a list of 2.`,
    );
    await file('');
    const long = await refusal([`--host=${'x'.repeat(5000)}`]);
    expect(long.length).toBeLessThan(150);
  });

  it.each<[string, string[]]>([
    ['layers', ['5', '5-5', '7-3', '-1-3', '1-', 'ALL', '1-2-3', '1.5-3', '0-99999', '0-9999999999', ' 1-2']],
    ['memory', ['2', '2G', '0GB', '-1GB', '15MB', 'lots', '1e3GB', '999999999999TB', '1GB2']],
    ['url', ['ftp://a', 'a.example', 'https://a/b', 'https://u:p@a/', 'https://a/?q', 'https://']],
    ['join', ['a.example', '/ip4/1.2.3.4/tcp/1', '/ip4/1.2.3.4/p2p/', 'https://a/b', '/nonsense/p2p/x']],
    ['announce', ['1.2.3.4', '/ip4/1.2.3', '/', '/ip4/1.2.3.4/tcp/x']],
    ['devices', ['gpu', 'cuda:', 'cuda:-1', 'cpu,gpu', ...['auto,cpu']]],
    ['host', ['a b', '-a', 'http://a', '0.0.0.0/0']],
    ['limits-trusted-proxies', ['10.0.0.0/33', 'proxy', '*']],
    ['limits-memory-share', ['0', '1.1', '90%', '.5', '0.05']],
    ['api-keys', ['yes', 'Required']],
    ['model', ['https://', 'x'.repeat(3000)]],
    ['api-max-tokens', ['15', '1.5', '-1']],
  ])('--%s refuses what it cannot take', async (flag, values) => {
    for (const value of values) expect(await refusal([`--${flag}=${value}`]), value).toContain(`--${flag}`);
  });

  it('suggests the key that was meant, in each source', async () => {
    expect(await refusal(['--prot', '80'])).toBe('There is no flag --prot. Did you mean --port?');
    expect(await refusal(['--tcpport=1'])).toContain('Did you mean --tcp-port?');
    expect(await refusal(['--wibble'])).toContain('`shoal-relay help options`');
    expect(await refusal([], { SHOAL_MEMROY: '1GB' })).toBe(
      'There is no variable SHOAL_MEMROY. Did you mean SHOAL_MEMORY?',
    );
    expect(await refusal([], { SHOAL_CHROMIUM: 'x', SHOAL_SERVICE_HOST: 'x', SHOAL_TEST_MODEL: 'x' })).toBe(
      'accepted',
    );
    await file('network:\n  tcp_port: 1\ntcpPort: 2\nwibble: 3\nconstructor: 4\n__proto__: {a: 1}\n');
    expect((await refusal()).split('\n').map((line) => line.replace(/^.*shoal.yaml, /, ''))).toEqual([
      'line 2: There is no key "network.tcp_port". Did you mean network.tcpPort?',
      'line 3: There is no key "tcpPort". Did you mean network.tcpPort?',
      'line 4: There is no key "wibble".',
      'line 5: There is no key "constructor".',
      'line 6: There is no key "__proto__".',
    ]);
  });

  it('all at once, and not more than a screen of it', async () => {
    await file('port: x\nlog: {level: loud}\n');
    const told = (await refusal(['--memory', '1', '--what'], { SHOAL_LAYERS: '9' })).split('\n');
    expect(told).toHaveLength(5);
    await file(Array.from({ length: 500 }, (_, i) => `key${i}: 1`).join('\n'));
    const many = (await refusal()).split('\n');
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe('… and 480 more.');
  });

  it('flags without a value, with one too many, and variables that disagree', async () => {
    expect(await refusal(['--port'])).toBe('--port needs a value.');
    expect(await refusal(['--data='])).toBe('--data needs a value.');
    expect(await refusal(['--model', '--port', '1'])).toContain('--model needs a value.');
    expect(await refusal(['--help=1'])).toBe('--help takes no value.');
    expect(await refusal(['--no-tls-auto=1'])).toBe('--no-tls-auto takes no value.');
    expect(await refusal(['--no-port'])).toContain('There is no flag --no-port.');
    expect(await refusal([], { SHOAL_LAYERS: 'all', SHOAL_HOSTING_LAYERS: 'none' })).toContain(
      'SHOAL_LAYERS and SHOAL_HOSTING_LAYERS set the same key',
    );
    expect(await refusal([], { SHOAL_LAYERS: 'all', SHOAL_HOSTING_LAYERS: 'all' })).toBe('accepted');
  });

  it('also where a stronger source hides it', async () => {
    expect(await refusal(['--port', '1'], { SHOAL_PORT: 'x' })).toContain('SHOAL_PORT');
  });
});

describe('keys together', () => {
  it.each<[string[], string]>([
    [['--tls-cert=c'], '--tls-cert needs tls.key'],
    [['--tls-key=c'], '--tls-key needs tls.cert'],
    [
      ['--tls-cert=c', '--tls-key=k', '--tls-auto'],
      '--tls-auto gets a certificate, and --tls-cert names one',
    ],
    [['--api-answers-per-client=33'], '--api-answers-per-client is 33, but api.answers is 32 (the default)'],
    [['--api-waiting=3', '--api-waiting-per-client=4'], 'api.waiting is 3 (--api-waiting)'],
    [['--network-peers-per-address=3000'], 'network.peers is 2000'],
    [['--limits-connections-per-address=5000'], 'limits.connections is 4096'],
    [['--tcp-port=8080'], 'where the HTTP server listens (the default of port)'],
    [['--devices=auto,cpu'], 'auto among others'],
  ])('%j is refused', async (argv, message) => {
    expect(await refusal(argv)).toContain(message);
  });

  it('a default that is larger than its whole is lowered', async () => {
    const { config } = await read(['--network-peers=20', '--api-answers=2', '--limits-connections=100']);
    expect(config.network).toMatchObject({ peers: 20, peersPerAddress: 20, joinsPerSecond: 20 });
    expect(config.api.answersPerClient).toBe(2);
    expect(config.limits.connectionsPerAddress).toBe(100);
    expect((await read(['--webrtc-port=8080'])).config.network.webrtcPort).toBe(8080);
  });
});

it('any command line and environment give a typed error or a configuration', async () => {
  const flags = [
    ...KEY_PATHS.map(flagOf),
    '--no-tls-auto',
    '--model',
    '--config',
    '--__proto__',
    '--=',
    '--',
    '-',
    '-p',
    '-h1',
    '--no-',
  ];
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      'none',
      'auto',
      '1',
      '-1',
      '1,2',
      ',',
      'true',
      '/',
      '/ip4/1.2.3.4',
      'https://[',
      '5-20',
      '1e400GB',
    ),
  );
  const word = fc.oneof(
    fc.constantFrom(...flags),
    value,
    fc.string({ unit: 'binary' }).map((text) => `--${text}`),
    fc.tuple(fc.constantFrom(...flags), value).map(([flag, text]) => `${flag}=${text}`),
  );
  const env = fc.dictionary(
    fc.constantFrom(...KEY_PATHS.map(variableOf), 'SHOAL_', 'SHOAL_CONFIG', 'SHOAL_X'),
    value,
    { maxKeys: 3 },
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), env, async (argv, variables) => {
      const message = await refusal(argv, variables);
      if (message === 'accepted') accepted++;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a message must not move the cursor
      expect(message).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    }),
    { seed: 20261121, numRuns: 1500 },
  );
  expect(accepted).toBeGreaterThan(30);
});
