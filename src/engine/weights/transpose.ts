/*
 * A tile of rows becomes columns of a wide matrix. Written twice, not once for both element types: a loop that has seen
 * two kinds of typed array runs several times slower in V8.
 */

/**
 * Writes `rows` rows of `tile` (`stride` elements apart, `columns` long) as columns of `out`, [columns, width], from
 * column `at` on.
 */
export function transposeFloat32(
  tile: Float32Array,
  stride: number,
  rows: number,
  columns: number,
  out: Float32Array,
  width: number,
  at: number,
): void {
  for (let column = 0; column < columns; column++) {
    let to = column * width + at;
    for (let from = column, row = 0; row < rows; row++, from += stride) out[to++] = tile[from]!;
  }
}

/** The same for 16-bit elements. */
export function transposeUint16(
  tile: Uint16Array,
  stride: number,
  rows: number,
  columns: number,
  out: Uint16Array,
  width: number,
  at: number,
): void {
  for (let column = 0; column < columns; column++) {
    let to = column * width + at;
    for (let from = column, row = 0; row < rows; row++, from += stride) out[to++] = tile[from]!;
  }
}
