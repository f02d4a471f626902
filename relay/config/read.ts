import { checkTogether } from './check.ts';
import { CONFIG_VARIABLE, readEnvironment } from './environment.ts';
import { readFileText } from './file.ts';
import { findFile } from './find-file.ts';
import { type OwnFlag, readFlags } from './flags.ts';
import { groupOf, KEY_PATHS, KEYS, type KeyPath } from './keys.ts';
import type { Kind } from './kinds.ts';
import { type Given, Mistakes, shown } from './mistakes.ts';
import type { RelayConfig } from './types.ts';

export interface ReadOptions {
  /** Folder that relative paths of flags and variables start from; those in a file start from the file's folder. */
  cwd?: string;
  /** Flags of the command itself, by name without dashes; a key of that name is then not looked for. */
  own?: Readonly<Record<string, OwnFlag>>;
  /** False for a command that writes the file instead of reading it. Default true. */
  readsFile?: boolean;
}

export interface ReadConfig {
  /** Paths in it are absolute. */
  config: RelayConfig;
  /** For each key where its value came from: `--port`, `SHOAL_PORT`, `/etc/shoal.yaml, line 3: port`, or `default`. */
  sources: ReadonlyMap<KeyPath, string>;
  /** The file that was read; null when there is none. */
  file: string | null;
  /** Own flags of the command that were given; `help` may be among them. */
  options: ReadonlyMap<string, string | true>;
  /** Arguments that are no flags, in order. */
  rest: readonly string[];
}

/**
 * The configuration: flags before environment before file before defaults. A list of a stronger source takes the place
 * of a weaker one's, it is not added.
 * @throws RelayError `usage`, with a line for each mistake that names the key, where it stands, and what it takes
 */
export async function readConfig(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  { cwd = process.cwd(), own = {}, readsFile = true }: ReadOptions = {},
): Promise<ReadConfig> {
  const mistakes = new Mistakes();
  const { given: flags, options, rest } = readFlags(argv, own, cwd, mistakes);
  const variables = readEnvironment(env, cwd, mistakes);
  const data = read('data', [variables, flags], cwd) ?? KEYS.data.default;
  const named = options.get('config') ?? (env[CONFIG_VARIABLE] || undefined);
  // The file may be what help is wanted for.
  if (options.has('help')) return { config: defaults(cwd), sources: new Map(), file: null, options, rest };
  const file = readsFile ? await findFile(named === true ? undefined : named, [data, cwd], cwd) : null;
  const written = file ? readFileText(file.text, file.path, mistakes) : [];

  const config = defaults(cwd);
  const sources = new Map<KeyPath, string>(KEY_PATHS.map((path) => [path, 'default']));
  const strongest = new Map([...written, ...variables, ...flags].map((one) => [one.path, one]));
  // Also what a stronger source hides is checked: it would bite on the day that the flag goes.
  for (const one of [...written, ...variables, ...flags]) {
    const reading = KEYS[one.path].kind.read(one.raw, one.base);
    if ('refused' in reading) mistakes.add(wrongValue(one, reading.refused));
    else if (strongest.get(one.path) === one) {
      put(config, one.path, reading.value);
      sources.set(one.path, one.from);
    }
  }
  mistakes.throwIfAny();
  const from = (path: KeyPath) => strongest.get(path)?.from;
  checkTogether(config, from, mistakes);
  mistakes.throwIfAny();
  return { config, sources, file: file?.path ?? null, options, rest };
}

/** The configuration of somebody who sets nothing. */
export function defaults(cwd: string = process.cwd()): RelayConfig {
  const config = {
    tls: {},
    network: {},
    hosting: {},
    api: {},
    limits: {},
    log: {},
  } as unknown as RelayConfig;
  for (const path of KEY_PATHS) {
    // Read once more, so that the default folder is a path like any other.
    const { kind, default: value } = KEYS[path] as { kind: Kind<unknown>; default: unknown };
    const reading = path === 'data' ? kind.read(value, cwd) : { value: structuredClone(value) };
    if ('value' in reading) put(config, path, reading.value);
  }
  return config;
}

/** The value of one key in a configuration. */
export function valueIn(config: RelayConfig, path: KeyPath): unknown {
  const { holder, key } = placeOf(config, path);
  return holder[key];
}

function put(config: RelayConfig, path: KeyPath, value: unknown): void {
  const { holder, key } = placeOf(config, path);
  holder[key] = value;
}

function placeOf(config: RelayConfig, path: KeyPath): { holder: Record<string, unknown>; key: string } {
  const root = config as unknown as Record<string, unknown>;
  const group = groupOf(path);
  if (group === 'general') return { holder: root, key: path };
  return { holder: root[group] as Record<string, unknown>, key: path.slice(group.length + 1) };
}

/** The strongest readable value of one key, before everything is read. */
function read(path: 'data', sources: readonly (readonly Given[])[], cwd: string): string | undefined {
  const given = sources.flat().findLast((one) => one.path === path);
  const reading = given && KEYS[path].kind.read(given.raw, cwd);
  return reading && 'value' in reading ? reading.value : undefined;
}

function wrongValue({ path, from }: Given, refused: unknown): string {
  return `${from} takes ${KEYS[path].kind.takes}, not ${shown(refused)}.`;
}
