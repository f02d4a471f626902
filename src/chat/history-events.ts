import { type HistoryChange, type HistoryEvent, parseHeader, readable } from './history.ts';

type Listener = (event: HistoryEvent, here: boolean) => void;

/** Tells changes of a history to this tab and to the others of its profile. */
export class HistoryEvents {
  readonly #listeners = new Set<Listener>();
  readonly #channel: BroadcastChannel | null;

  constructor(name: string) {
    // A browser without it still keeps conversations; its tabs see each other's after a reload.
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name);
    this.#channel?.addEventListener('message', ({ data }) => {
      const event = parseEvent(data);
      if (event) this.#call(event, false);
    });
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: HistoryEvent): void {
    this.#channel?.postMessage(event);
    this.#call(event, true);
  }

  #call(event: HistoryEvent, here: boolean): void {
    for (const listener of [...this.#listeners]) listener(event, here);
  }
}

/** Null for what another version of the page may say. */
function parseEvent(value: unknown): HistoryEvent | null {
  const { kind, id, changes } = (value ?? {}) as Record<string, unknown>;
  if (kind === 'cleared') return { kind };
  if (kind === 'removed') return typeof id === 'string' ? { kind, id } : null;
  if (kind !== 'changed' || !Array.isArray(changes)) return null;
  // What is left out was said by a page whose headers are not ours: the list is read again at the next reload.
  return { kind, changes: changes.flatMap(readable(parseChange)) };
}

function parseChange(value: unknown): HistoryChange {
  const { header, messages, removed } = (value ?? {}) as Record<string, unknown>;
  if (!areIds(messages) || !areIds(removed)) throw new TypeError('This names no messages.');
  return { header: parseHeader(header), messages, removed };
}

function areIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string');
}
