import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RELAY_LIMITS } from '../../src/swarm/node.ts';
import { configurationPage } from './docs.ts';
import { helpOfAll } from './help.ts';
import { KEY_PATHS, KEYS, type KeyPath } from './keys.ts';
import { flagOf, variableOf } from './names.ts';
import { defaults, readConfig, valueIn } from './read.ts';
import { fileTemplate } from './template.ts';

it('docs/configuration.md is what the table says; `npx tsx relay/config/write-docs.ts` writes it anew', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationPage());
});

it('the help names every key, by flag and variable, and fits into a terminal', () => {
  const help = helpOfAll();
  for (const path of KEY_PATHS) {
    const name = KEYS[path].alias ?? path;
    expect(help).toMatch(
      new RegExp(`^  ${flagOf(name)}[ ,].*${path === 'models' ? 'SHOAL_MODELS' : variableOf(name)}$`, 'm'),
    );
  }
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

it('every default is a value that its key takes', () => {
  for (const path of KEY_PATHS) {
    const { kind, default: value } = KEYS[path] as (typeof KEYS)['port'];
    // A list is shown as a list of YAML.
    const shown = kind.list ? JSON.parse(kind.show(value)) : kind.show(value);
    expect(kind.read(shown, '/'), path).toEqual({ value: path === 'data' ? '/data' : value });
  }
});

it('the limits of the network are those that the network has by itself', () => {
  const { network } = defaults();
  expect({
    connections: network.peers,
    connectionsPerAddress: network.peersPerAddress,
    connectionsPerSecond: network.joinsPerSecond,
    relayedBytes: BigInt(network.relayedBytes),
    relayedMs: network.relayedSeconds * 1000,
  }).toEqual({
    connections: RELAY_LIMITS.connections,
    connectionsPerAddress: RELAY_LIMITS.connectionsPerAddress,
    connectionsPerSecond: RELAY_LIMITS.connectionsPerSecond,
    relayedBytes: RELAY_LIMITS.relayedBytes,
    relayedMs: RELAY_LIMITS.relayedMs,
  });
});

it('a written file sets what was chosen, and the defaults for the rest', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'shoal-template-'));
  try {
    const chosen = new Map<KeyPath, unknown>([
      ['url', 'https://a.example/'],
      ['models', ['/m/a: b.gguf', '/m/#c']],
      ['tls.auto', true],
      ['network.webrtcPort', 8443],
      ['hosting.layers', { start: 2, end: 9 }],
      ['hosting.memory', 3 * 2 ** 30],
    ]);
    await writeFile(join(cwd, 'shoal.yaml'), fileTemplate(chosen));
    const { config, sources } = await readConfig([], {}, { cwd });
    for (const path of KEY_PATHS) {
      expect(valueIn(config, path), path).toEqual(chosen.get(path) ?? valueIn(defaults(cwd), path));
      expect(sources.get(path) === 'default', path).toBe(!chosen.has(path));
    }
    // Also with every comment taken away, it is a file that can be read.
    const open = fileTemplate(new Map()).replace(/^( *)# ([a-z][A-Za-z]+: )/gm, '$1$2');
    await writeFile(join(cwd, 'shoal.yaml'), open);
    expect((await readConfig([], {}, { cwd })).config).toEqual(defaults(cwd));
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
});
