import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RelayError } from '../errors.ts';
import { GROUPS, KEY_PATHS } from './keys.ts';
import { readConfig } from './read.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shoal-config-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const put = (name: string, text: string | Uint8Array) => writeFile(join(cwd, name), text);
const read = (argv: string[] = [], env: NodeJS.ProcessEnv = {}) => readConfig(argv, env, { cwd });
const refusal = async (text: string | Uint8Array) => {
  await put('shoal.yaml', text);
  try {
    await read();
  } catch (error) {
    if (error instanceof RelayError && error.code === 'usage') return error.message;
    throw error;
  }
  return 'accepted';
};

describe('which file is read', () => {
  it('the named one, else that in the data folder, else that in the working folder', async () => {
    expect((await read()).file).toBe(null);
    await put('shoal.json', '{"port": 1}');
    expect((await read()).config.port).toBe(1);
    await put('shoal.yml', 'port: 2');
    expect((await read()).config.port).toBe(2);
    await put('shoal.yaml', 'port: 3');
    expect((await read()).config.port).toBe(3);
    await mkdir(join(cwd, 'data'));
    await put('data/shoal.json', '{"port": 4}');
    expect((await read()).config.port).toBe(4);
    await mkdir(join(cwd, 'srv'));
    await put('srv/shoal.yaml', 'port: 5');
    expect((await read(['--data', 'srv'])).config.port).toBe(5);
    expect((await read([], { SHOAL_DATA: 'srv' })).config.port).toBe(5);
    await put('other.yaml', 'port: 6');
    expect((await read([], { SHOAL_CONFIG: 'other.yaml' })).config.port).toBe(6);
    expect((await read(['--config', 'shoal.json'], { SHOAL_CONFIG: 'other.yaml' })).config.port).toBe(1);
  });

  it('a named one that is absent, a folder, a device, or not text is refused', async () => {
    await expect(read(['--config', 'absent.yaml'])).rejects.toThrow('absent.yaml does not exist');
    await expect(read(['--config', '.'])).rejects.toThrow(RelayError);
    await expect(read(['--config', '/dev/zero'])).rejects.toThrow('/dev/zero is not a file');
    expect(await refusal(new Uint8Array([0xff, 0xfe, 0x00]))).toContain('is no text in UTF-8');
  });
});

describe('a file that is not right', () => {
  it('may be empty, or have groups without keys', async () => {
    for (const text of [
      '',
      '# nothing\n',
      '---\n',
      'tls:\nnetwork:\n  # tcpPort: 1\n',
      'network: {}\n',
      'null',
    ])
      expect(await refusal(text), text).toBe('accepted');
  });

  it.each<[string, string, string]>([
    ['a list', '- port', 'takes keys with values'],
    ['a scalar', 'hello', 'takes keys with values'],
    ['a group that is a value', 'tls: yes', 'tls takes keys with values'],
    ['a value that is a mapping', 'port: {a: 1}', 'port takes a value or a list'],
    ['a list of lists', 'models: [[a]]', 'models takes a value or a list'],
    ['a key twice', 'port: 1\nport: 2', 'line 2: "port" is there twice'],
    ['a group twice', 'tls: {}\ntls: {}', 'line 2: "tls" is there twice'],
    [
      'a key twice, once with its group',
      'log: {level: info}\nlog.level: debug',
      'line 2: "log.level" is there twice',
    ],
    ['an alias', 'host: &a localhost\nurl: *a', 'url takes a value or a list'],
    ['a merge', 'tls: &a {auto: true}\n<<: *a', 'There is no key "<<"'],
    ['a key that is a list', '[port]: 1', 'There is no key ""'],
    ['no value', 'port:', 'port takes a port from 0 to 65535, not nothing'],
    ['a number for a word', 'log: {level: 3}', 'not 3'],
    ['no YAML', 'port: [1', 'This is no YAML'],
    ['two documents', 'port: 1\n---\nport: 2', 'This is no YAML'],
    ['a tag', 'port: !!binary aGVsbG8=', 'port takes a port'],
    ['not a number', 'limits: {memoryShare: .nan}', 'limits.memoryShare takes'],
    ['infinity', 'drainSeconds: .inf', 'drainSeconds takes'],
    ['too long a list', `network: {join: [${'"https://a.example",'.repeat(17)}]}`, 'not a list of 17'],
  ])('%s', async (_what, text, message) => {
    expect(await refusal(text)).toContain(message);
  });

  it('a bomb is refused, and nothing of it is expanded', async () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++) {
      const [name, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`);
    }
    expect(await refusal(bomb.join('\n'))).toContain('There is no key "a"');
    expect(await refusal(`models: ${'['.repeat(100_000)}`)).toContain('nested too deep');
    expect(await refusal(`models: ${'- '.repeat(100_000)}`)).toContain('nested too deep');
    expect(await refusal('x'.repeat(256 * 1024 + 1))).toContain('more than 256 KB');
    // As many keys as fit: what compares every pair would take minutes.
    expect(
      await refusal(`{${Array.from({ length: 40_000 }, (_, i) => i.toString(36)).join(',')}}`),
    ).toContain('more.');
  });

  it('garbage gives a typed error or a configuration, never anything else', async () => {
    const names = [...KEY_PATHS, ...KEY_PATHS.map((path) => path.split('.').at(-1)!), ...Object.keys(GROUPS)];
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...names) },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          ': ',
          '\n',
          '\n  ',
          '- ',
          '{',
          '}',
          '[',
          ']',
          ',',
          '&a ',
          '*a',
          '"',
          "'",
          '|\n',
          '>',
          '!!',
          '#',
          '?',
          '<<',
          '%',
          '\t',
          '---',
          '...',
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '0',
          '1',
          '8080',
          'true',
          'null',
          '2GB',
          'auto',
          'none',
          '5-20',
          'https://a.example',
          '/ip4/1.2.3.4/tcp/1',
          '.nan',
          '1e999',
          '0x10',
        ),
      },
      { weight: 1, arbitrary: fc.string() },
    );
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.json(),
      fc.dictionary(fc.constantFrom(...names), fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    const path = join(cwd, 'shoal.yaml');
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        await writeFile(path, text);
        try {
          const { config } = await read();
          expect(config.port).toBeGreaterThanOrEqual(0);
          accepted++;
        } catch (error) {
          if (!(error instanceof RelayError) || error.code !== 'usage') throw error;
          expect(error.message.split('\n').length).toBeLessThanOrEqual(60);
          expect(error.message.length).toBeLessThan(20_000);
          refused++;
        }
      }),
      { seed: 20261121, numRuns: 1500 },
    );
    // Were one of them nothing, the test would not test.
    expect(Math.min(accepted, refused)).toBeGreaterThan(30);
  });
});
