import { ModelError } from '../errors.ts';

/** Largest vocabulary read; the largest in use (Gemma) has 262,144 tokens. */
export const MAX_TOKENS = 1 << 20;
/** Most merges read; Llama 3 has 280,147. */
export const MAX_MERGES = 1 << 21;
/** Longest token in UTF-16 units; the longest in use are runs of a few hundred spaces or dashes. */
export const MAX_TOKEN_LENGTH = 4096;

/** @throws ModelError `malformed` always */
export function malformed(what: string): never {
  throw new ModelError(
    'malformed',
    `The tokenizer of this model file cannot be used: ${what}. Download the file again, or choose another one.`,
  );
}

/** A JSON object, or an error that names `what`. */
export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    malformed(`${what} is not an object`);
  }
  return value as Record<string, unknown>;
}

/** A list or typed array of at most `limit` entries, or an error that names `what`. */
export function list(value: unknown, what: string, limit: number): ArrayLike<unknown> {
  const ok = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!ok) malformed(`${what} is not a list`);
  const entries = value as ArrayLike<unknown>;
  if (entries.length > limit) malformed(`${what} has ${entries.length} entries, more than ${limit}`);
  return entries;
}

/** A token's text. */
export function tokenText(value: unknown, what: string): string {
  if (typeof value !== 'string') malformed(`${what} is not text`);
  if (value.length > MAX_TOKEN_LENGTH) malformed(`${what} is ${value.length} characters long`);
  return value;
}

/** A token id below `size`, or null when absent or out of range (llama.cpp ignores those too). */
export function tokenId(value: unknown, size: number): number | null {
  const id = typeof value === 'bigint' ? Number(value) : value;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < size ? id : null;
}
