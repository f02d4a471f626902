import { field, MOST_LINKS, many } from './map-told.ts';

/** A state as it came: parts of any kind. */
export type Parts = Record<string, unknown>;

/** What tells the items of a list apart, as the relay names them in `gone`. */
const KEYS: Readonly<Record<string, (item: unknown) => string>> = {
  hosts: (item) => String(field(item, 'peer')),
  clients: (item) => String(item),
  links: (item) => `${field(item, 'from')} ${field(item, 'to')}`,
};

/** @returns null for what is no JSON object */
export function partsIn(json: string): Parts | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Parts) : null;
  } catch {
    // Cut off, or no relay of ours.
    return null;
  }
}

/** Puts a `change` of the relay over a state. Nothing is checked here but the size of the lists. */
export function changed(state: Parts, change: Parts): Parts {
  const { lists, ...parts } = change;
  const next: Parts = { ...state, ...parts };
  for (const [name, keyOf] of Object.entries(KEYS)) {
    const list = field(lists, name);
    if (list === undefined) continue;
    const items = new Map(many(next[name], MOST_LINKS).map((item) => [keyOf(item), item]));
    for (const key of many(field(list, 'gone'), MOST_LINKS)) items.delete(String(key));
    for (const item of many(field(list, 'put'), MOST_LINKS)) items.set(keyOf(item), item);
    next[name] = [...items.values()].slice(0, MOST_LINKS);
  }
  return next;
}
