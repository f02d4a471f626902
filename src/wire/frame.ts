import { MAX_FRAME_BYTES, WireError } from './types.ts';

/** Bytes of the length before each frame: u32, big-endian. */
export const LENGTH_BYTES = 4;
/** Room for a frame that comes in pieces, until more than this of it has arrived. */
const FIRST_ROOM = 64 * 1024;
/** A frame that is kept holds at most this many times its own size; a smaller part of a chunk is copied out. */
const MAX_HELD = 4;

/** Of a body, before anything is done with it. @throws WireError `too-large` */
export function checkLength(length: number): void {
  if (length > 0 && length <= MAX_FRAME_BYTES) return;
  throw new WireError(
    'too-large',
    `A frame has ${length} bytes; 1 to ${MAX_FRAME_BYTES} are allowed. Send fewer positions at once.`,
  );
}

/** The body with its length before it, in a new buffer. @throws WireError `too-large` */
export function frame(body: Uint8Array): Uint8Array<ArrayBuffer> {
  checkLength(body.length);
  const framed = new Uint8Array(LENGTH_BYTES + body.length);
  framed.set(body, LENGTH_BYTES);
  return frameInPlace(framed);
}

/** Writes the length into the first four bytes, before the body that follows. @throws WireError `too-large` */
export function frameInPlace(framed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  checkLength(framed.length - LENGTH_BYTES);
  new DataView(framed.buffer, framed.byteOffset).setUint32(0, framed.length - LENGTH_BYTES);
  return framed;
}

/**
 * Cuts a stream of bytes into frames. Chunks may be cut anywhere, also inside a length.
 *
 * The chunks are given away: a frame that lies whole in a chunk is a view of it (or a copy, when it is a small part of
 * a large buffer), and any other frame has a buffer of its own. What is held for an unfinished frame is at most 64 KiB
 * or twice what arrived of it, whatever length was announced.
 */
export class FrameReader {
  readonly #onFrame: (body: Uint8Array) => void;
  #length = new Uint8Array(LENGTH_BYTES);
  #lengthBytes = 0;
  /** Of the frame under way; 0 before its length is known. */
  #wanted = 0;
  #body: Uint8Array | null = null;
  #got = 0;
  #failure: unknown = null;
  #dead = false;

  /** @param onFrame gets each body as soon as it is whole; it may keep and change the bytes, and must not call `push` */
  constructor(onFrame: (body: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /** Bytes held for a frame that is not whole yet. */
  get held(): number {
    return this.#lengthBytes + (this.#body?.length ?? 0);
  }

  /** True between two frames: here a stream may end. */
  get idle(): boolean {
    return this.#lengthBytes === 0;
  }

  /**
   * @throws WireError `too-large` for a length of 0 or above 16 MiB, or what `onFrame` threw. The stream cannot be
   * read on after that: every later call throws the same.
   */
  push(chunk: Uint8Array): void {
    if (this.#dead) throw this.#failure;
    try {
      // A Node Buffer's slice() would not copy.
      this.#read(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    } catch (error) {
      this.#dead = true;
      this.#failure = error;
      this.#body = null;
      this.#lengthBytes = 0;
      throw error;
    }
  }

  #read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        this.#length[this.#lengthBytes++] = chunk[at++]!;
        if (this.#lengthBytes < LENGTH_BYTES) continue;
        this.#wanted = new DataView(this.#length.buffer).getUint32(0);
        checkLength(this.#wanted);
        continue;
      }
      const part = chunk.subarray(at, at + this.#wanted - this.#got);
      at += part.length;
      if (part.length === this.#wanted) this.#deliver(detached(part));
      else this.#append(part);
    }
  }

  #append(part: Uint8Array): void {
    const got = this.#got + part.length;
    let body = this.#body;
    if (body === null || body.length < got) {
      const room = Math.min(this.#wanted, Math.max(FIRST_ROOM, 2 * got));
      const grown = new Uint8Array(room);
      if (body !== null) grown.set(body.subarray(0, this.#got));
      body = grown;
    }
    body.set(part, this.#got);
    this.#body = body;
    this.#got = got;
    // The room grew up to the wanted length and no further, so that a whole frame fills it.
    if (got === this.#wanted) this.#deliver(body);
  }

  #deliver(body: Uint8Array): void {
    this.#lengthBytes = 0;
    this.#wanted = 0;
    this.#body = null;
    this.#got = 0;
    this.#onFrame(body);
  }
}

/** The bytes in a buffer that is not much larger than they are. */
function detached(part: Uint8Array): Uint8Array {
  return part.buffer.byteLength <= MAX_HELD * part.length ? part : part.slice();
}
