import type { LogFields } from './types.ts';

/** Characters of one value: enough for any reason of ours, and too few to smuggle a conversation into a line. */
export const MAX_VALUE = 300;
/** Characters of the message, which is a sentence. */
export const MAX_MESSAGE = 500;
export const MAX_FIELDS = 20;
const MAX_NAME = 40;

/** Names that each line has already; a field of the same name would hide them. */
const TAKEN = new Set(['level', 'time', 'msg']);

/**
 * Control characters move a terminal's cursor or begin a line of their own, the two separators are line ends to some
 * readers, and direction marks turn what follows around. A peer's text may hold any of them, and halves of surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\p{Bidi_Control}]/gu;

/** Text on one line, at most `most` characters of it. */
export function oneLine(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  const safe = cut.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // An escape is six characters for one.
  return safe.length > most ? `${safe.slice(0, most - 1)}…` : safe;
}

/** The first twenty fields, each a number, a boolean, null or a short line of text. */
export function checkedFields(
  ...sets: readonly LogFields[]
): Record<string, string | number | boolean | null> {
  const checked: Record<string, string | number | boolean | null> = {};
  let count = 0;
  for (const fields of sets) {
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      const key = nameOf(name);
      if (!Object.hasOwn(checked, key) && ++count > MAX_FIELDS) return checked;
      checked[key] = checkedValue(value);
    }
  }
  return checked;
}

function checkedValue(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  // JSON has no NaN, and null would say that there was nothing.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return oneLine(value, MAX_VALUE);
  // The type forbids it: what lies inside might be anything, a prompt included.
  return `[${typeof value}]`;
}

function nameOf(name: string): string {
  const plain = name.slice(0, MAX_NAME).replace(/\W/g, '_');
  return TAKEN.has(plain) || plain === '__proto__' ? `${plain}_` : plain;
}
