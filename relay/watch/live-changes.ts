import type { NetworkState } from './network-state.ts';

/** Differ in every second and alone are no change. */
const ALWAYS: readonly string[] = ['at', 'relay'];
/** Characters of JSON from which on a list is told by what changed in it: 100 hosts, or 200 links. */
const LONG = 16 * 1024;

/** What tells the items of a list apart. */
const KEYS: Readonly<Record<string, (item: never) => string>> = {
  hosts: ({ peer }: { peer: string }) => peer,
  clients: (peer: string) => peer,
  links: ({ from, to }: { from: string; to: string }) => `${from} ${to}`,
};

/** What changed in a list: items that are new or different, and the keys of those that are gone. */
interface ListChange {
  put: unknown[];
  gone: string[];
}

/** Tells one state from the next. */
export class StateChanges {
  readonly #parts = new Map<string, string>();
  readonly #items = new Map<string, Map<string, string>>();

  /**
   * What changed since the last state: the parts that did, to be put over it by `Object.assign`. A long list of which
   * little changed is not among them, but in `lists`. Null for no change.
   */
  next(state: NetworkState): Record<string, unknown> | null {
    const parts: Record<string, unknown> = {};
    const lists: Record<string, ListChange> = {};
    let changed = false;
    for (const [name, part] of Object.entries(state)) {
      const text = JSON.stringify(part);
      if (this.#parts.get(name) === text) continue;
      this.#parts.set(name, text);
      changed ||= !ALWAYS.includes(name);
      const change = this.#inList(name, part, text.length);
      if (change) lists[name] = change;
      else parts[name] = part;
    }
    if (!changed) return null;
    return Object.keys(lists).length > 0 ? { ...parts, lists } : parts;
  }

  /** Null when the whole list is told: it is short, new, or most of it changed. */
  #inList(name: string, part: unknown, length: number): ListChange | null {
    const keyOf = KEYS[name];
    if (!keyOf || !Array.isArray(part)) return null;
    const before = this.#items.get(name);
    const now = new Map(part.map((item) => [keyOf(item as never), JSON.stringify(item)]));
    this.#items.set(name, now);
    if (!before || length < LONG) return null;
    const put = part.filter((item) => before.get(keyOf(item as never)) !== now.get(keyOf(item as never)));
    const gone = [...before.keys()].filter((key) => !now.has(key));
    return put.length + gone.length < part.length / 2 ? { put, gone } : null;
  }
}
