import type { MemoryWatch } from './memory.ts';

/** Whether the relay takes new work: answers, loading models, peers. What runs is not touched. */
export interface Hold {
  accepting(): boolean;
  /** A sentence for whoever is refused; null while work is accepted. */
  why(): string | null;
  /** Called when either may have changed. @returns how to stop that */
  onChange(listener: () => void): () => void;
}

/** Refuses work while the relay stops or is short of memory. */
export class WorkHold implements Hold {
  readonly #memory: MemoryWatch;
  readonly #listeners = new Set<() => void>();
  #draining = false;

  constructor(memory: MemoryWatch) {
    this.#memory = memory;
    memory.onChange(() => this.#tell());
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** For good: a relay that drains stops in the end. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tell();
  }

  accepting(): boolean {
    return this.why() === null;
  }

  why(): string | null {
    if (this.#draining) return 'This relay is stopping. Try another, or again in a minute.';
    if (this.#memory.status().state === 'full') return 'This relay is short of memory. Try again in a while.';
    return null;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
