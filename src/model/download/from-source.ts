import { ModelError } from '../errors.ts';
import { HttpSource } from '../http-source.ts';
import { PathSource } from '../path-source.ts';
import { MAX_READ } from '../ranges.ts';
import type { ByteSource } from '../types.ts';
import type { PartFile } from './part-file.ts';

/** Appends what is missing of a part from a URL or a path that the user gave. */
export async function fromSource(
  pathOrUrl: string,
  part: PartFile,
  onBytes: (size: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const source = /^https?:\/\//i.test(pathOrUrl)
    ? await HttpSource.open(pathOrUrl, { signal })
    : await PathSource.open(pathOrUrl);
  if (source.size !== part.expected.bytes)
    throw new ModelError('wrong-hash', `${pathOrUrl} has ${source.size} bytes, not ${part.expected.bytes}.`);
  await part.append(pieces(source, await part.resumeAt(), signal), onBytes);
}

async function* pieces(source: ByteSource, start: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = start; at < source.size; at += MAX_READ)
    yield await source.read(at, Math.min(MAX_READ, source.size - at), signal);
}
