import { splitList } from './flags.ts';
import { KEYS, type KeyPath } from './keys.ts';
import type { Given, Mistakes } from './mistakes.ts';
import { VARIABLES, variableOf } from './names.ts';
import { nearest } from './nearest.ts';

/** Names the file; no key. */
export const CONFIG_VARIABLE = 'SHOAL_CONFIG';
/** The one variable that is not split, because it came before SHOAL_MODELS and a path may hold a comma. */
const ONE_MODEL = 'SHOAL_MODEL';

/**
 * The keys in the environment. An empty variable counts as unset: that is how container files spell "no value". Of
 * names that are not ours only slips are refused: others may own SHOAL_SERVICE_HOST.
 */
export function readEnvironment(env: NodeJS.ProcessEnv, cwd: string, mistakes: Mistakes): Given[] {
  const given = new Map<KeyPath, Given>();
  for (const name of Object.keys(env)) {
    const value = env[name];
    if (!name.startsWith('SHOAL_') || name === CONFIG_VARIABLE || !value) continue;
    const path = VARIABLES.get(name);
    if (path === undefined) {
      const meant = nearest(name, VARIABLES.keys(), 2);
      if (meant) mistakes.add(`There is no variable ${name.slice(0, 60)}. Did you mean ${meant}?`);
      continue;
    }
    const { list } = KEYS[path].kind;
    const items = list && name !== ONE_MODEL ? splitList(value) : [value];
    const next = { path, raw: items.length === 1 ? items[0] : items, from: name, base: cwd };
    const other = given.get(path);
    if (other && String(other.raw) !== String(next.raw))
      mistakes.add(`${other.from} and ${name} set the same key. Keep ${variableOf(path)}.`);
    given.set(path, next);
  }
  return [...given.values()];
}
