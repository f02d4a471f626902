/** Rows that a new log has room for. */
const FIRST_ROWS = 64;

/**
 * What the client sent to the first hop in this session, one row per position, so that it can be sent again. Grows by
 * doubling to at most `maxRows × width × 4` bytes. Token ids fit as well: float32 holds whole numbers to 2^24.
 */
export class RowLog {
  #rows: Float32Array;
  #length = 0;

  constructor(
    readonly width: number,
    readonly maxRows: number,
  ) {
    this.#rows = new Float32Array(Math.min(FIRST_ROWS, maxRows) * width);
  }

  /** Rows held. */
  get length(): number {
    return this.#length;
  }

  /** @param rows [n, width], row-major */
  append(rows: Float32Array): void {
    const length = this.#length + rows.length / this.width;
    if (!Number.isInteger(length) || length > this.maxRows)
      throw new RangeError(`${rows.length} values do not fit a log of ${this.maxRows} rows of ${this.width}`);
    if (length * this.width > this.#rows.length) {
      const larger = new Float32Array(
        Math.min(this.maxRows, Math.max(length, 2 * this.#length)) * this.width,
      );
      larger.set(this.#rows.subarray(0, this.#length * this.width));
      this.#rows = larger;
    }
    this.#rows.set(rows, this.#length * this.width);
    this.#length = length;
  }

  /** Rows `[from, to)`; a view that is good until the next append. */
  rows(from: number, to: number): Float32Array {
    return this.#rows.subarray(from * this.width, to * this.width);
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }
}
