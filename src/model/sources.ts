import { throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import type { ByteSource } from './types.ts';

/** Refuses a read outside a source; every source calls it first. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!sound || offset + length > source.size)
    throw new ModelError(
      'truncated',
      `${source.name} has ${source.size} bytes, but bytes ${offset} to ${offset + length} are needed. ` +
        'The file is incomplete: fetch it again.',
    );
}

/** The last part of a path or URL, without query. */
export function fileNameOf(path: string): string {
  const parts = path.replace(/[?#].*$/, '').split(/[/\\]/);
  return parts.findLast((part) => part !== '') ?? path;
}

/** Bytes that are already in memory. */
export class MemorySource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(
    readonly name: string,
    bytes: Uint8Array,
  ) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    checkRange(this, offset, length);
    return this.#bytes.slice(offset, offset + length);
  }
}

/** A `File` that a person picked, or any `Blob`; only the ranges that are read are loaded. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: Blob;

  constructor(blob: Blob, name?: string) {
    this.#blob = blob;
    this.name = name ?? (blob instanceof File ? fileNameOf(blob.name) : 'model');
    this.size = blob.size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    checkRange(this, offset, length);
    let bytes: ArrayBuffer;
    try {
      bytes = await this.#blob.slice(offset, offset + length).arrayBuffer();
    } catch (cause) {
      // Browsers refuse a picked file that changed on disk since it was picked.
      throw new ModelError('unreachable', `${this.name} can no longer be read. Pick it again.`, { cause });
    }
    throwIfAborted(signal);
    if (bytes.byteLength !== length)
      throw new ModelError('truncated', `${this.name} became shorter while it was read. Pick it again.`);
    return new Uint8Array(bytes);
  }
}
