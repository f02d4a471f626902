import { ModelError, type ModelErrorCode } from './errors.ts';

/** Throws `aborted` when the caller has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

export function aborted(signal: AbortSignal): ModelError {
  return new ModelError('aborted', 'Stopped as asked; what was already fetched is kept.', {
    cause: signal.reason,
  });
}

/** A plain object, or a `malformed` error that names what it should have been. */
export function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ModelError('malformed', `${what} is not an object. The file is damaged or not a model.`);
  return value as Record<string, unknown>;
}

/** A whole number in `[min, max]`, or a `malformed` error that names the field and what was found. */
export function asInteger(value: unknown, what: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
    throw new ModelError(
      'malformed',
      `${what} is ${shown(value)}; a whole number from ${min} to ${max} was expected. The file is damaged or lies.`,
    );
  return value;
}

/** A finite number in `[min, max]`. */
export function asReal(value: unknown, what: string, min: number, max: number): number {
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw new ModelError(
      'malformed',
      `${what} is ${shown(value)}; a number from ${min} to ${max} was expected. The file is damaged or lies.`,
    );
  return value;
}

export function asString(value: unknown, what: string, maxLength: number): string {
  if (typeof value !== 'string' || value.length > maxLength)
    throw new ModelError(
      'malformed',
      `${what} is ${shown(value)}; text of at most ${maxLength} characters was expected.`,
    );
  return value;
}

/** Any value in few characters, for messages. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}

/** Parses JSON whose size was already checked. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ModelError('malformed', `${what} is not valid JSON. Download it again.`, { cause });
  }
}

/** Gives an unexpected failure a code and a next step; lets our own errors through. */
export function asModelError(error: unknown, code: ModelErrorCode, message: string): ModelError {
  return error instanceof ModelError ? error : new ModelError(code, message, { cause: error });
}
