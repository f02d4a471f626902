import { parseArgs } from 'node:util';
import { KEYS } from './keys.ts';
import type { Given, Mistakes } from './mistakes.ts';
import { FLAGS, flagOf } from './names.ts';
import { nearest } from './nearest.ts';

/** A flag that belongs to a command, not to the configuration. */
export interface OwnFlag {
  /** Stands for the value in the help; empty for a flag without one. */
  placeholder: string;
  help: string;
}

export interface Arguments {
  given: Given[];
  /** Own flags of the command, by name; true for one without a value. */
  options: ReadonlyMap<string, string | true>;
  /** What is no flag. */
  rest: string[];
}

/** Flags that every command takes. */
export const COMMON_FLAGS: Readonly<Record<string, OwnFlag>> = {
  config: { placeholder: 'FILE', help: 'The configuration file to read (SHOAL_CONFIG).' },
  help: { placeholder: '', help: 'This text.' },
};

const NEGATIVE = 'no-';

/**
 * Sorts a command line. Of a flag that is given twice the last one counts, as is the custom, except for lists, which
 * grow. What is wrong is added to `mistakes`.
 */
export function readFlags(
  argv: readonly string[],
  own: Readonly<Record<string, OwnFlag>>,
  cwd: string,
  mistakes: Mistakes,
): Arguments {
  const known = new Map(Object.entries({ ...own, ...COMMON_FLAGS }));
  const withValue = (name: string) => {
    const path = FLAGS.get(name);
    return path ? !KEYS[path].kind.flag : known.get(name)?.placeholder !== '';
  };
  const names = [...known.keys(), ...[...FLAGS.keys()].filter((name) => !known.has(name))];
  const { tokens } = parseArgs({
    args: [...argv],
    // Not strict: then it stops at the first mistake, and its messages do not know what was meant.
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        names.map((name) => [name, { type: withValue(name) ? ('string' as const) : ('boolean' as const) }]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const given = new Map<string, Given>();
  const options = new Map<string, string | true>();
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') rest.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const positive = name.startsWith(NEGATIVE) ? name.slice(NEGATIVE.length) : '';
    const off = FLAGS.get(positive);
    const path = known.has(name) ? undefined : FLAGS.get(name);
    if (off && KEYS[off].kind.flag) {
      if (value !== undefined) mistakes.add(`${rawName} takes no value.`);
      given.set(off, { path: off, raw: false, from: rawName, base: cwd });
    } else if (!known.has(name) && path === undefined) {
      mistakes.add(unknownFlag(rawName, names));
    } else if (withValue(name)) {
      if (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))
        mistakes.add(`${rawName} needs a value.`);
      else if (path) addKey(given, { path, raw: value, from: rawName, base: cwd });
      else options.set(name, value);
    } else if (path) {
      given.set(path, { path, raw: value ?? true, from: rawName, base: cwd });
    } else if (value !== undefined) mistakes.add(`${rawName} takes no value.`);
    else options.set(name, true);
  }
  return { given: [...given.values()], options, rest };
}

function addKey(given: Map<string, Given>, next: Given): void {
  const { list } = KEYS[next.path].kind;
  if (!list) return void given.set(next.path, next);
  const items = list.split ? splitList(String(next.raw)) : [next.raw];
  const before = given.get(next.path)?.raw;
  // `none` is for the whole list, not one item of it.
  const raw = before === undefined && items.length === 1 ? items[0] : [...[before ?? []].flat(), ...items];
  given.set(next.path, { ...next, raw });
}

/** Values with commas between them; blanks around them do not count. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function unknownFlag(rawName: string, names: readonly string[]): string {
  const meant = nearest(rawName, names);
  const suggestion = meant
    ? ` Did you mean ${flagOf(meant)}?`
    : ' `shoal-relay help options` lists what there is.';
  return `There is no flag ${rawName.slice(0, 60)}.${suggestion}`;
}
