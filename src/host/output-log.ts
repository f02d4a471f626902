import { decodeHidden, encodeHidden, type HiddenType, payloadBytes, WireError } from '../wire/index.ts';

/** Rows that the first allocation holds; it doubles from there, up to the session's most. */
const FIRST_ROWS = 64;

/**
 * The outputs of one session at one hop, in the form in which they are sent, so that a replay is the same bits. Row i is
 * position i. Takes at most `maxRows` rows of the wire's own size.
 */
export class OutputLog {
  #dtype: HiddenType;
  #length = 0;
  #rows = new Uint8Array(0);
  /** Of int8, whose payload has the scales of all rows first. */
  #scales = new Uint8Array(0);

  constructor(
    private readonly width: number,
    private readonly maxRows: number,
    dtype: HiddenType,
  ) {
    this.#dtype = dtype;
  }

  get length(): number {
    return this.#length;
  }

  /** Type of what `read` gives. It turns into `fp32` for good when a value does not fit the smaller type. */
  get dtype(): HiddenType {
    return this.#dtype;
  }

  /**
   * @param values [rows, width], row-major
   * @throws WireError `bad-payload` for values that no type can hold
   */
  append(values: Float32Array): void {
    const payload = this.#encode(values);
    const rows = values.length / this.width;
    this.#grow(this.#length + rows);
    const scaleBytes = rows * this.#scaleBytes;
    this.#scales.set(payload.subarray(0, scaleBytes), this.#length * this.#scaleBytes);
    this.#rows.set(payload.subarray(scaleBytes), this.#length * this.#rowBytes);
    this.#length += rows;
  }

  /** The payload of positions `[from, to)`. */
  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    const scales = this.#scales.subarray(from * this.#scaleBytes, to * this.#scaleBytes);
    const rows = this.#rows.subarray(from * this.#rowBytes, to * this.#rowBytes);
    const payload = new Uint8Array(scales.length + rows.length);
    payload.set(scales);
    payload.set(rows, scales.length);
    return payload;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  get #scaleBytes(): number {
    return this.#dtype === 'int8' ? payloadBytes('int8', 1, this.width) - this.#rowBytes : 0;
  }

  get #rowBytes(): number {
    return this.#dtype === 'int8' ? this.width : payloadBytes(this.#dtype, 1, this.width);
  }

  #encode(values: Float32Array): Uint8Array {
    try {
      return encodeHidden(values, this.width, this.#dtype);
    } catch (error) {
      if (!(error instanceof WireError) || this.#dtype === 'fp32') throw error;
      this.#widen();
      return encodeHidden(values, this.width, 'fp32');
    }
  }

  /** A value was too large for the type. What was sent stays what it was; only its form is wider. */
  #widen(): void {
    const payload = this.read(0, this.#length);
    const length = this.#length;
    const sent =
      length === 0 ? new Float32Array(0) : decodeHidden(payload, [1, length, this.width], this.#dtype);
    this.#dtype = 'fp32';
    this.#rows = new Uint8Array(sent.buffer);
    this.#scales = new Uint8Array(0);
  }

  #grow(rows: number): void {
    const held = this.#rows.length / this.#rowBytes;
    if (rows <= held) return;
    const wanted = Math.max(rows, Math.min(this.maxRows, Math.max(FIRST_ROWS, 2 * held)));
    this.#rows = enlarged(this.#rows, wanted * this.#rowBytes);
    this.#scales = enlarged(this.#scales, wanted * this.#scaleBytes);
  }
}

function enlarged(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}
