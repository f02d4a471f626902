import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ModelError } from '../errors.ts';
import { diskError, isFull, isMissing, noSpace } from '../folder-store.ts';

/** What a file must be when it is whole. */
export interface Expected {
  name: string;
  bytes: number;
  sha256: string;
}

/** A download in progress beside its target, as `<target>.part`; what it holds is kept when a source fails. */
export class PartFile {
  readonly path: string;

  constructor(
    readonly target: string,
    readonly expected: Expected,
  ) {
    this.path = `${target}.part`;
  }

  /** Bytes that are already here. A part longer than the file is thrown away. */
  async resumeAt(): Promise<number> {
    const size = (await sizeOf(this.path)) ?? 0;
    if (size <= this.expected.bytes) return size;
    await this.discard();
    return 0;
  }

  /**
   * Appends what a source sends until the file is complete.
   * @throws ModelError `no-space`; `wrong-hash` when the source sends too much, `truncated` when too little; whatever
   * the iteration throws
   */
  async append(chunks: AsyncIterable<Uint8Array>, onBytes: (size: number) => void): Promise<void> {
    let size = await this.resumeAt();
    const handle = await open(this.path, 'a').catch((cause: unknown) => {
      throw diskError(cause, dirname(this.path));
    });
    try {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > this.expected.bytes)
          throw new ModelError(
            'wrong-hash',
            `It sent more than the ${this.expected.bytes} bytes of ${this.expected.name}.`,
          );
        try {
          await handle.writeFile(chunk);
        } catch (cause) {
          throw await writeError(cause, this.path, this.expected.bytes - size + chunk.length);
        }
        onBytes(size);
      }
    } finally {
      await handle.close();
    }
    if (size < this.expected.bytes)
      throw new ModelError('truncated', `It stopped after ${size} of ${this.expected.bytes} bytes.`);
  }

  /** Checks the whole part and puts it in place. @throws ModelError `wrong-hash`, and the part is thrown away */
  async finish(signal?: AbortSignal): Promise<void> {
    if (!(await isWhole(this.path, this.expected, signal))) {
      await this.discard();
      throw new ModelError(
        'wrong-hash',
        `It sent bytes that are not ${this.expected.name}: the hash differs.`,
      );
    }
    await rename(this.path, this.target);
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** True when the file has the size and the hash expected. */
export async function isWhole(path: string, expected: Expected, signal?: AbortSignal): Promise<boolean> {
  if ((await sizeOf(path)) !== expected.bytes) return false;
  return (await sha256OfFile(path, signal)) === expected.sha256;
}

export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 }))
    hash.update(chunk);
  return hash.digest('hex');
}

/** A write failure as `no-space` with the numbers, or as what it is. */
export async function writeError(cause: unknown, path: string, needed: number): Promise<ModelError> {
  if (!isFull(cause)) return diskError(cause, path);
  const { bavail, bsize } = await statfs(dirname(path));
  return noSpace(dirname(path), needed, bavail * bsize, cause);
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw diskError(cause, path);
  }
}
