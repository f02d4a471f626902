import { ApiError } from './errors.ts';

/** Deeper than any request of the API goes (messages, parts, an image's object: 6). */
export const MAX_DEPTH = 32;
/** Entries of one list or object: ten times the longest conversation that fits a context. */
export const MAX_ENTRIES = 10_000;
/** Entries in all, so that 10,000 lists of 10,000 are none either. */
export const MAX_ALL_ENTRIES = 100_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/**
 * Reads the JSON of a request. Depth and number of entries are counted in the bytes, before anything is built from them:
 * 4 MB of "[" keep V8's parser busy for 0.7 s, 4 MB of "[]," for 0.6 s, and nothing else runs meanwhile.
 * @throws ApiError 400
 */
export function parseJson(bytes: Uint8Array): unknown {
  countEntries(bytes);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder tells no more than that.
    throw bad('The body is no valid UTF-8. Send JSON in UTF-8.');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const at = /position (\d+)/.exec(String(error))?.[1];
    throw bad(`The body is no valid JSON${at === undefined ? '' : ` (at character ${at})`}.`);
  }
}

/** Commas and brackets outside strings; what is no JSON is left to the parser. */
function countEntries(bytes: Uint8Array): void {
  const entries = new Uint32Array(MAX_DEPTH + 1);
  let depth = 0;
  let all = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      i = endOfString(bytes, i + 1);
    } else if (byte === COMMA) {
      all++;
      if (++entries[depth]! >= MAX_ENTRIES)
        throw bad(`A list of the body has more than ${MAX_ENTRIES} entries.`);
    } else if (byte === 0x5b || byte === 0x7b) {
      all++;
      if (++depth > MAX_DEPTH) throw bad(`The body is nested more than ${MAX_DEPTH} deep.`);
      entries[depth] = 0;
    } else if ((byte === 0x5d || byte === 0x7d) && depth > 0) {
      depth--;
    }
    if (all > MAX_ALL_ENTRIES) throw bad(`The body has more than ${MAX_ALL_ENTRIES} entries.`);
  }
}

/** Index of the quote that ends the string. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return bytes.length;
}

function bad(message: string): ApiError {
  return new ApiError(400, 'invalid_json', message);
}
