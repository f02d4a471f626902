import { WireError } from './types.ts';

/** Takes a value from a peer; gives it back as its type, or throws WireError `bad-field` that names the field. */
export type Check<T> = (value: unknown, name: string) => T;

/** One check per field, the optional ones as well. */
export type Fields<T> = { readonly [K in keyof T]-?: Check<T[K]> };

/** The value itself is never put into the message: it is a stranger's. */
export function badField(name: string, wanted: string): never {
  throw new WireError('bad-field', `${name} must be ${wanted}. The peer runs another program or is broken.`);
}

/** A safe integer; CBOR's 64-bit integers come as bigint. */
export function integer(low: number, high: number): Check<number> {
  return (value, name) => {
    const n = typeof value === 'bigint' ? Number(value) : value;
    if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < low || n > high)
      badField(name, `a whole number from ${low} to ${high}`);
    // -0 is a safe integer too, and would be the only one that is not equal to itself after a round trip.
    return n + 0;
  };
}

/** A finite number. */
export function real(low: number, high: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !(value >= low && value <= high))
      badField(name, `a number from ${low} to ${high}`);
    return value;
  };
}

export const flag: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : badField(name, 'true or false');

/** @param pattern what every text must match; anchored */
export function text(maxChars: number, pattern?: RegExp): Check<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value.length > maxChars)
      badField(name, `a text of at most ${maxChars} characters`);
    if (pattern) {
      if (!pattern.test(value)) badField(name, `a text like ${pattern.source}`);
    } else if (/\p{Surrogate}/u.test(value)) badField(name, 'a text without half characters');
    return value;
  };
}

/** 32 bytes as 64 lower-case hexadecimal characters. */
export const hex32 = text(64, /^[0-9a-f]{64}$/);

export function oneOf<T extends string>(...names: readonly T[]): Check<T> {
  return (value, name) => names.find((one) => one === value) ?? badField(name, `one of ${names.join(', ')}`);
}

/** A byte string. The bytes are not copied. */
export function bytes(low: number, high: number): Check<Uint8Array> {
  return (value, name) => {
    if (!(value instanceof Uint8Array) || value.length < low || value.length > high)
      badField(name, low === high ? `${low} bytes` : `${low} to ${high} bytes`);
    // A Node Buffer is a Uint8Array whose slice() does not copy.
    if (value.constructor === Uint8Array) return value;
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  };
}

export function list<T>(maxLength: number, item: Check<T>): Check<T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length > maxLength)
      badField(name, `a list of at most ${maxLength} items`);
    return value.map((one: unknown, i) => item(one, `${name}[${i}]`));
  };
}

/** Absent and null are the same. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, name) => (value === undefined || value === null ? undefined : check(value, name));
}

/** Absent and null are the same. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, name) => (value === undefined || value === null ? null : check(value, name));
}

/** A map. Keys without a check are left out, and so are optional ones without a value. */
export function map<T extends object>(fields: Fields<T>): Check<T> {
  const entries = Object.entries<Check<unknown>>(fields);
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      badField(name, 'a map');
    const checked: Record<string, unknown> = {};
    for (const [key, check] of entries) {
      const field = check(Reflect.get(value, key), `${name}.${key}`);
      if (field !== undefined) checked[key] = field;
    }
    // Every field has passed the check of its own type.
    return checked as T;
  };
}

/** A further rule between the fields of one value. */
export function also<T>(check: Check<T>, rule: (value: T, name: string) => void): Check<T> {
  return (value, name) => {
    const checked = check(value, name);
    rule(checked, name);
    return checked;
  };
}
