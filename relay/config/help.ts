import { GROUPS, groupOf, KEY_PATHS, KEYS, type KeyPath } from './keys.ts';
import type { Kind } from './kinds.ts';
import { flagOf, variableOf } from './names.ts';

/** Columns of a terminal that everybody has. */
const WIDTH = 100;
const INDENT = 6;

/** The keys that most relays set, by their everyday names. */
export const EVERYDAY: readonly KeyPath[] = [
  'port',
  'host',
  'data',
  'models',
  'hosting.layers',
  'hosting.memory',
  'hosting.devices',
  'url',
  'network.webrtcPort',
  'network.join',
  'network.announce',
];

/** Flags, variables and defaults of some keys, for a terminal. */
export function helpOf(paths: readonly KeyPath[]): string {
  return paths.map(entry).join('');
}

/** All keys, group by group. */
export function helpOfAll(): string {
  return keysByGroup()
    .map(([title, paths]) => `${title}:\n\n${helpOf(paths)}`)
    .join('\n');
}

export function keysByGroup(): [title: string, paths: KeyPath[]][] {
  return Object.entries(GROUPS).map(([group, title]) => [
    title,
    KEY_PATHS.filter((path) => groupOf(path) === group),
  ]);
}

/** The default of a key, for people. */
export function defaultOf(path: KeyPath): string {
  const { kind, default: value } = KEYS[path] as { kind: Kind<unknown>; default: unknown };
  return Array.isArray(value) ? value.join(', ') || 'none' : kind.show(value);
}

/** Flag with placeholder, and variable; by the everyday name where there is one. */
export function namesOf(path: KeyPath): { flag: string; variable: string } {
  const { kind, alias } = KEYS[path];
  const flag = flagOf(alias ?? path);
  return {
    flag: kind.flag ? `${flag}, --no-${flag.slice(2)}` : `${flag} ${kind.placeholder}`,
    variable: variableOf(path === 'models' ? path : (alias ?? path)),
  };
}

function entry(path: KeyPath): string {
  const { flag, variable } = namesOf(path);
  const { help, kind } = KEYS[path];
  const often = kind.list ? ' May be repeated.' : '';
  const text = `${help}${often} Default: ${defaultOf(path)}.`;
  return `  ${flag.padEnd(WIDTH - 2 - variable.length)}${variable}\n${wrap(text)}\n`;
}

/** Lines of at most `WIDTH` characters, indented. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => ' '.repeat(INDENT) + one).join('\n');
}
