import { byAge } from '../../chat/web.ts';

export interface TreeMessage {
  readonly id: string;
  readonly parent: string | null;
  readonly createdAt: number;
}

/** The messages of a conversation with their branches. A message whose parent is not here counts as a first one. */
export class Tree<T extends TreeMessage> {
  readonly #messages = new Map<string, T>();
  /** Ids below a message, oldest first; those of first messages under null. */
  readonly #below = new Map<string | null, string[]>();

  constructor(messages: Iterable<T> = []) {
    const all = [...messages];
    for (const message of all) this.#messages.set(message.id, message);
    for (const message of all) this.#listOf(this.#parentOf(message)).push(message.id);
    for (const ids of this.#below.values()) if (ids.length > 1) ids.sort(this.#byAge);
  }

  get size(): number {
    return this.#messages.size;
  }

  get(id: string): T | undefined {
    return this.#messages.get(id);
  }

  all(): Iterable<T> {
    return this.#messages.values();
  }

  /** Adds a message, or puts it in place of the one of its id, which stays where it is in the tree. */
  put(message: T): void {
    const known = this.#messages.has(message.id);
    this.#messages.set(message.id, message);
    if (known) return;
    const ids = this.#listOf(this.#parentOf(message));
    ids.push(message.id);
    // Another tab's message may be older than the newest one here.
    if (ids.length > 1) ids.sort(this.#byAge);
  }

  /** Takes a message out, with everything below it. @returns the ids that went */
  remove(id: string): string[] {
    const message = this.#messages.get(id);
    if (!message) return [];
    const siblings = this.#listOf(this.#parentOf(message));
    siblings.splice(siblings.indexOf(id), 1);
    const gone = [id];
    // The list grows while it is walked.
    for (const each of gone) {
      gone.push(...(this.#below.get(each) ?? []));
      this.#below.delete(each);
      this.#messages.delete(each);
    }
    return gone;
  }

  /** Itself among them, oldest first; empty for an unknown id. */
  siblings(id: string): readonly string[] {
    const message = this.#messages.get(id);
    return message ? this.#listOf(this.#parentOf(message)) : [];
  }

  children(id: string | null): readonly string[] {
    return this.#below.get(id) ?? [];
  }

  /** The end of the newest branch below a message, or of all; the message itself when nothing is below. */
  newest(id: string | null): string | null {
    let at = id;
    for (let next = this.children(at).at(-1); next !== undefined; next = this.children(at).at(-1)) at = next;
    return at;
  }

  /** From the first message down to this one. */
  path(id: string | null): T[] {
    const path: T[] = [];
    for (let at = this.#messages.get(id ?? ''); at; at = this.#messages.get(at.parent ?? '')) path.push(at);
    return path.reverse();
  }

  /** Whether `above` is on the path to `id`. */
  isBelow(id: string, above: string): boolean {
    for (let at = this.#messages.get(id); at; at = this.#messages.get(at.parent ?? '')) {
      if (at.id === above) return true;
    }
    return false;
  }

  #parentOf({ parent }: T): string | null {
    return parent !== null && this.#messages.has(parent) ? parent : null;
  }

  #listOf(parent: string | null): string[] {
    let ids = this.#below.get(parent);
    if (!ids) {
      ids = [];
      this.#below.set(parent, ids);
    }
    return ids;
  }

  readonly #byAge = (a: string, b: string) => byAge(this.#messages.get(a)!, this.#messages.get(b)!);
}
