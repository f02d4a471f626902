import { fromFloat16, toFloat16 } from './float16.ts';
import { frameInPlace, LENGTH_BYTES } from './frame.ts';

const UTF8 = new TextEncoder();

/**
 * Writes CBOR exactly as Rust's ciborium does: shortest heads, shortest exact floats. Fields go out in the order in
 * which they are written, behind room for the frame's length.
 */
export class CborWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = LENGTH_BYTES;

  /** @param expected bytes that will be written, about; it grows when there are more */
  constructor(expected: number) {
    this.#bytes = new Uint8Array(LENGTH_BYTES + expected);
  }

  map(fields: number): this {
    return this.#head(5, fields);
  }

  array(items: number): this {
    return this.#head(4, items);
  }

  text(value: string): this {
    const utf8 = UTF8.encode(value);
    this.#head(3, utf8.length).#reserve(utf8.length);
    this.#bytes.set(utf8, this.#at);
    this.#at += utf8.length;
    return this;
  }

  /** A safe integer of 0 or more. */
  uint(value: number): this {
    return this.#head(0, value);
  }

  null(): this {
    return this.#byte(0xf6);
  }

  /** The float32 nearest to the value, as a half float where that is exact. */
  float(value: number): this {
    const single = Float32Array.of(value);
    const half = new Uint16Array(1);
    const back = new Float32Array(1);
    if (toFloat16(single, half) && fromFloat16(half, back) && Object.is(back[0], single[0]))
      return this.#byte(0xf9)
        .#byte(half[0]! >> 8)
        .#byte(half[0]! & 255);
    this.#byte(0xfa).#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#at, value);
    this.#at += 4;
    return this;
  }

  /** Bytes as an array of integers. */
  byteArray(values: Uint8Array): this {
    this.#head(4, values.length).#reserve(2 * values.length);
    let at = this.#at;
    for (const value of values) {
      if (value >= 24) this.#bytes[at++] = 0x18;
      this.#bytes[at++] = value;
    }
    this.#at = at;
    return this;
  }

  /** The frame: the length, then what was written. @throws WireError `too-large` */
  frame(): Uint8Array<ArrayBuffer> {
    return frameInPlace(this.#bytes.slice(0, this.#at));
  }

  #head(major: number, argument: number): this {
    const first = major << 5;
    if (argument < 24) return this.#byte(first | argument);
    if (argument < 2 ** 8) return this.#byte(first | 24).#byte(argument);
    this.#reserve(9);
    const view = new DataView(this.#bytes.buffer);
    if (argument < 2 ** 16) {
      this.#byte(first | 25);
      view.setUint16(this.#at, argument);
      this.#at += 2;
    } else if (argument < 2 ** 32) {
      this.#byte(first | 26);
      view.setUint32(this.#at, argument);
      this.#at += 4;
    } else {
      this.#byte(first | 27);
      view.setBigUint64(this.#at, BigInt(argument));
      this.#at += 8;
    }
    return this;
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
