import { RelayError } from '../errors.ts';
import type { KeyPath } from './keys.ts';

/** What somebody wrote for a key, not looked at yet. */
export interface Given {
  path: KeyPath;
  raw: unknown;
  /** For messages: `--port`, `SHOAL_PORT`, or `shoal.yaml, line 3: port`. */
  from: string;
  /** Folder that relative paths start from. */
  base: string;
}

/** After these, the rest is a number: nobody reads more, and a file of garbage must not fill a screen. */
const MOST_TOLD = 20;
/** Characters of a wrong value that a message repeats. */
const MOST_SHOWN = 60;

/** All that is wrong, told at once. */
export class Mistakes {
  readonly #lines: string[] = [];
  #count = 0;

  /** More are only counted: a suggestion for each of thousands would take seconds. */
  get full(): boolean {
    return this.#lines.length >= MOST_TOLD;
  }

  add(line: string): void {
    this.#count++;
    // What was written may hold control characters, which would move the cursor of the terminal.
    if (!this.full) this.#lines.push(line.replace(/\p{Cc}/gu, '?'));
  }

  /** @throws RelayError `usage` with one line for each mistake, when there is any */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#lines.length;
    if (more > 0) this.#lines.push(`… and ${more} more.`);
    throw new RelayError('usage', this.#lines.join('\n'));
  }
}

/** A wrong value, shortened and on one line. */
export function shown(raw: unknown): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (Array.isArray(raw)) return `a list of ${raw.length}`;
  const text = typeof raw === 'string' ? raw : String(raw);
  const short = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return typeof raw === 'string' ? JSON.stringify(short) : short;
}
