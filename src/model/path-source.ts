import { type FileHandle, open } from 'node:fs/promises';
import { throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import { checkRange, fileNameOf } from './sources.ts';
import type { ByteSource } from './types.ts';

/** One `read` of the operating system moves at most 2 GiB; pieces also let an abort through. */
const PIECE = 64 * 1024 * 1024;

/** A file on disk. Close it when done. */
export class PathSource implements ByteSource {
  readonly name: string;

  private constructor(
    readonly path: string,
    readonly size: number,
    readonly handle: FileHandle,
  ) {
    this.name = fileNameOf(path);
  }

  /** @throws ModelError `not-found`, `unreachable` */
  static async open(path: string): Promise<PathSource> {
    try {
      const handle = await open(path, 'r');
      const info = await handle.stat();
      if (info.isFile()) return new PathSource(path, info.size, handle);
      await handle.close();
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      if (missing) throw new ModelError('not-found', `${path} does not exist. Check the path.`, { cause });
      throw new ModelError('unreachable', `${path} cannot be opened. Check its permissions.`, { cause });
    }
    throw new ModelError('unreachable', `${path} is not a file.`);
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      throwIfAborted(signal);
      const bytesRead = await this.#piece(bytes, done, Math.min(PIECE, length - done), offset + done);
      if (bytesRead === 0)
        throw new ModelError('truncated', `${this.path} became shorter while it was read. Fetch it again.`);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  async #piece(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    try {
      return (await this.handle.read(into, at, length, position)).bytesRead;
    } catch (cause) {
      throw new ModelError('unreachable', `${this.path} cannot be read: the disk or its mount failed.`, {
        cause,
      });
    }
  }
}
