import { WireError } from './types.ts';

/** Major types of RFC 8949, section 3.1. */
export const MAJOR = {
  uint: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** An `offers` list has five levels; nothing here has more. */
const MAX_DEPTH = 8;
/** Our longest key has 17. */
const MAX_KEY_BYTES = 64;
/** Four bytes per character of the longest text that is taken, a reason. */
const MAX_TEXT_BYTES = 16_384;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function malformed(why: string, cause?: unknown): never {
  throw new WireError('malformed', `A frame is not the CBOR that peers speak: ${why}.`, { cause });
}

/**
 * Walks CBOR item by item without building anything, so that no decoder ever sees a length that lies. It takes the
 * plain subset that both codecs write: definite lengths, text keys, integers, floats, booleans, null, texts, byte
 * strings. Refused as WireError `malformed`: tags, `undefined` and other simple values, lengths past the end,
 * texts that are no UTF-8, more than 8 levels, more items than allowed.
 */
export class CborCursor {
  /** Where the next item starts. */
  at = 0;
  /** Of the header read last: its major type, and its count, length or value. */
  major = 0;
  argument = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** Reads the header of the next item; returns its major type. A string then starts at `at`, within the bytes. */
  head(): number {
    const { bytes } = this;
    const left = bytes.length - this.at - 1;
    if (left < 0) malformed('it ends early');
    const first = bytes[this.at++]!;
    const info = first & 31;
    this.major = first >> 5;
    if (info < 24) this.argument = info;
    else if (info > 27) malformed('a length is indefinite or unknown');
    else {
      const size = 1 << (info - 24);
      if (left < size) malformed('it ends early');
      let argument = 0;
      for (let i = 0; i < size; i++) argument = argument * 256 + bytes[this.at++]!;
      this.argument = argument;
    }
    this.#checkHead(info);
    return this.major;
  }

  #checkHead(info: number): void {
    const left = this.bytes.length - this.at;
    switch (this.major) {
      case MAJOR.text:
        if (this.argument > MAX_TEXT_BYTES) malformed(`a text has more than ${MAX_TEXT_BYTES} bytes`);
        if (this.argument > left) malformed('a length lies past the end');
        return;
      case MAJOR.bytes:
      // Every item takes a byte at least.
      case MAJOR.array:
        if (this.argument > left) malformed('a length lies past the end');
        return;
      case MAJOR.map:
        if (this.argument * 2 > left) malformed('a length lies past the end');
        return;
      case MAJOR.tag:
        malformed('tags are not used');
        break;
      case MAJOR.simple: {
        const known = (info >= 20 && info <= 22) || (info >= 25 && info <= 27);
        if (!known) malformed('a simple value is not false, true, null or a float');
      }
    }
  }

  /** Reads a map's key. */
  key(): string {
    const start = this.#skipKey();
    return UTF8.decode(this.bytes.subarray(start, this.at));
  }

  /** Steps over the next item with all that is in it. @param maxItems items at most, itself included */
  skip(maxItems: number): void {
    this.#skip(maxItems, MAX_DEPTH);
  }

  /** Steps over one item; returns how many items are left. */
  #skip(allowed: number, depth: number): number {
    if (allowed < 1) malformed('it has too many items');
    const major = this.head();
    const { argument } = this;
    let left = allowed - 1;
    if (major === MAJOR.bytes) this.at += argument;
    else if (major === MAJOR.text) this.#skipText();
    else if (major === MAJOR.array || major === MAJOR.map) {
      if (depth === 1) malformed('it is nested too deep');
      for (let i = 0; i < argument; i++) {
        if (major === MAJOR.map) this.#skipKey();
        left = this.#skip(left, depth - 1);
      }
    }
    return left;
  }

  /** Returns where the key's text starts. */
  #skipKey(): number {
    if (this.head() !== MAJOR.text || this.argument > MAX_KEY_BYTES) malformed('a key is not a short text');
    const start = this.at;
    this.#skipText();
    return start;
  }

  #skipText(): void {
    const { bytes, at } = this;
    const end = at + this.argument;
    this.at = end;
    // Nearly every text is ASCII, and a loop over few bytes is faster than the decoder.
    let i = at;
    while (i < end && bytes[i]! < 0x80) i++;
    if (i === end) return;
    try {
      UTF8.decode(bytes.subarray(i, end));
    } catch (cause) {
      malformed('a text is not UTF-8', cause);
    }
  }

  /**
   * Reads an array of integers from 0 to 255 as bytes: IntelNav's form of a byte string. What is allocated is never
   * more than what arrived.
   */
  byteArray(): Uint8Array | null {
    if (this.head() !== MAJOR.array) return null;
    const out = new Uint8Array(this.argument);
    const { bytes } = this;
    for (let i = 0; i < out.length; i++) {
      const first = bytes[this.at]!;
      if (first < 24) {
        out[i] = first;
        this.at++;
        continue;
      }
      if (this.head() !== MAJOR.uint || this.argument > 255) return null;
      out[i] = this.argument;
    }
    return out;
  }

  /** The whole of the bytes must have been read. */
  end(): void {
    if (this.at !== this.bytes.length) malformed('bytes follow after its end');
  }
}
