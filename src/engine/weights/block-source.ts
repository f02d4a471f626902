/** Bytes of a tensor seen three ways. Model files and every platform that runs Shoal are little-endian. */
export interface BlockSource {
  bytes: Uint8Array;
  words: Uint16Array;
  /** Leaves out up to three bytes at the end, where the length is no multiple of four. */
  longs: Uint32Array;
}

/** Views where the bytes are aligned to 4, views of a copy where they are not. */
export function blockSource(given: Uint8Array): BlockSource {
  const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
  return {
    bytes,
    words: new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1),
    longs: new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4)),
  };
}
