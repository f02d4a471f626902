import { open, stat } from 'node:fs/promises';
import { throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import { checkRange, fileNameOf } from './sources.ts';
import type { ByteSource } from './types.ts';

/** One `read` of the operating system moves at most 2 GiB; pieces also let an abort through. */
const PIECE = 64 * 1024 * 1024;

/** A file on disk. It is opened for each read (50 µs), so that nothing is left open and nothing needs closing. */
export class PathSource implements ByteSource {
  readonly name: string;

  private constructor(
    readonly path: string,
    readonly size: number,
  ) {
    this.name = fileNameOf(path);
  }

  /** @throws ModelError `not-found`, `unreachable` */
  static async open(path: string): Promise<PathSource> {
    let info: Awaited<ReturnType<typeof stat>>;
    try {
      info = await stat(path);
    } catch (cause) {
      throw readError(path, cause);
    }
    if (!info.isFile()) throw new ModelError('unreachable', `${path} is not a file.`);
    return new PathSource(path, info.size);
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, offset, length);
    throwIfAborted(signal);
    try {
      const handle = await open(this.path, 'r');
      try {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          throwIfAborted(signal);
          const { bytesRead } = await handle.read(bytes, done, Math.min(PIECE, length - done), offset + done);
          if (bytesRead === 0)
            throw new ModelError(
              'truncated',
              `${this.path} became shorter while it was read. Fetch it again.`,
            );
          done += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw cause instanceof ModelError ? cause : readError(this.path, cause);
    }
  }

  /** Nothing is held open. */
  async close(): Promise<void> {}
}

function readError(path: string, cause: unknown): ModelError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
    return new ModelError('not-found', `${path} does not exist. Check the path.`, { cause });
  return new ModelError('unreachable', `${path} cannot be read. Check its permissions and its disk.`, {
    cause,
  });
}
