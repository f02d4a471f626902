import { refuse } from './errors.ts';

/** Checks that several fields share. Each takes the field's name and value, and refuses what does not fit. */
export type Check = (name: string, value: unknown) => void;

/** A value as a message shows it, short whatever it is. */
export function shown(value: unknown): string {
  const kind = Array.isArray(value) ? 'a list' : 'an object';
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object' && value
        ? kind
        : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number in a range, ends included; null when absent or null. */
export function numberIn(
  name: string,
  value: unknown,
  low: number,
  high: number,
  whole = false,
): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    refuse(
      name,
      `${name} must be ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}, not ${shown(value)}.`,
    );
  }
  return value;
}

export function booleanOf(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean')
    refuse(name, `${name} must be true or false, not ${shown(value)}.`, 'invalid_type');
  return value;
}

/** Without halves of surrogate pairs, which have no bytes: everything that writes UTF-8 puts U+FFFD in their place. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

export function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string') refuse(name, `${name} must be text, not ${shown(value)}.`, 'invalid_type');
  return wellFormed(value);
}

/** Taken and used for nothing: a short text. */
export const shortText: Check = (name, value) => {
  if (value !== null && (typeof value !== 'string' || value.length > 512)) {
    refuse(name, `${name} must be text of at most 512 characters.`);
  }
};

/** OpenAI's own limits for metadata: 16 pairs, keys of 64 and values of 512 characters. */
export const smallMetadata: Check = (name, value) => {
  if (value === null) return;
  const fits =
    isObject(value) &&
    Object.keys(value).length <= 16 &&
    Object.entries(value).every(
      ([key, text]) => key.length <= 64 && typeof text === 'string' && text.length <= 512,
    );
  if (!fits) refuse(name, `${name} must be at most 16 pairs of text: keys of 64, values of 512 characters.`);
};

export const aBoolean: Check = (name, value) => void booleanOf(name, value);

/** Only these values; `why` says what this relay cannot do. Lists and objects are compared by their JSON. */
export function only(values: readonly unknown[], why: string): Check {
  const allowed = new Set(values.map((value) => JSON.stringify(value)));
  return (name, value) => {
    // Larger than any allowed value: not worth turning into text.
    const small = !isObject(value) || Object.keys(value).length <= 1;
    const short = !Array.isArray(value) || value.length <= 1;
    if (value !== null && !(small && short && allowed.has(JSON.stringify(value)))) {
      refuse(name, `${name} is not supported: ${why}`, 'unsupported_parameter');
    }
  };
}
