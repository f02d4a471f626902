import { ModelError } from './errors.ts';

/** Elements of all metadata lists together: the largest vocabularies (2^20 tokens, scores, types, merges) fit. */
const MAX_LIST_ELEMENTS = 2 ** 23;
/** Chat templates and licences are the longest strings. */
const MAX_STRING_BYTES = 8 * 1024 * 1024;
const MAX_NESTING = 4;

/** The window ends inside the header: read more and start again. Never leaves `gguf.ts`. */
export class NeedMore extends Error {}

/** Smallest bytes one element of each value type takes, by its number in the GGUF specification. */
const ELEMENT_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
const STRING = 8;
const LIST = 9;

/** Reads little-endian values from a window on the start of a file of `fileSize` bytes. */
export class GgufCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileSize: number;
  readonly #decoder = new TextDecoder();
  #listElements = 0;
  #at = 0;

  constructor(window: Uint8Array, fileSize: number) {
    this.#bytes = window;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.#fileSize = fileSize;
  }

  get position(): number {
    return this.#at;
  }

  ascii(length: number): string {
    const at = this.#take(length);
    return String.fromCharCode(...this.#bytes.subarray(at, at + length));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A 64-bit count or offset; past 2^53 it is refused. */
  u64(what: string): number {
    return safe(this.#view.getBigUint64(this.#take(8), true), what);
  }

  /** A 64-bit number of items of at least `itemBytes` each, which must fit in the rest of the file. */
  count(what: string, max: number, itemBytes: number): number {
    const value = this.u64(what);
    if (value > max)
      throw new ModelError(
        'too-large',
        `${what} is ${value}; at most ${max} are read. The file is damaged or lies.`,
      );
    this.#expect(value * itemBytes);
    return value;
  }

  string(what: string, maxBytes: number): string {
    const length = this.count(`The length of ${what}`, maxBytes, 1);
    const at = this.#take(length);
    return this.#decoder.decode(this.#bytes.subarray(at, at + length));
  }

  /** A metadata value with its type before it. */
  value(what: string): unknown {
    return this.#typed(what, this.u32(), 0);
  }

  #typed(what: string, type: number, depth: number): unknown {
    if (type === STRING) return this.string(what, MAX_STRING_BYTES);
    if (type !== LIST) return this.#scalar(what, type);
    if (depth === MAX_NESTING)
      throw new ModelError(
        'malformed',
        `${what} is a list nested more than ${MAX_NESTING} deep. The file is damaged.`,
      );
    const inner = this.u32();
    const bytes = ELEMENT_BYTES[inner];
    if (bytes === undefined) throw unknownType(what, inner);
    const length = this.count(
      `The length of the list ${what}`,
      MAX_LIST_ELEMENTS - this.#listElements,
      bytes,
    );
    this.#listElements += length;
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.#typed(what, inner, depth + 1));
    return list;
  }

  #scalar(what: string, type: number): number | boolean {
    const bytes = ELEMENT_BYTES[type];
    if (bytes === undefined) throw unknownType(what, type);
    const at = this.#take(bytes);
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 10:
        return safe(view.getBigUint64(at, true), what);
      case 11:
        return safe(view.getBigInt64(at, true), what);
      default:
        return view.getFloat64(at, true);
    }
  }

  /** Moves past `length` bytes and returns where they start. */
  #take(length: number): number {
    const at = this.#at;
    this.#expect(length);
    if (at + length > this.#bytes.length) throw new NeedMore();
    this.#at = at + length;
    return at;
  }

  #expect(length: number): void {
    if (this.#at + length > this.#fileSize)
      throw new ModelError(
        'truncated',
        'The file ends inside its header. It is incomplete or damaged: fetch it again.',
      );
  }
}

function safe(value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new ModelError(
      'malformed',
      `${what} is ${value}, past what any file can hold. The file is damaged or lies.`,
    );
  return number;
}

function unknownType(what: string, type: number): ModelError {
  return new ModelError('malformed', `${what} has the unknown value type ${type}. The file is damaged.`);
}
