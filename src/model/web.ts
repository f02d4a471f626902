/** The second door, for browsers only: everything that needs the origin's private file system. */
import { ModelError } from './errors.ts';
import { openOpfsStore } from './opfs-store.ts';
import { BlobSource } from './sources.ts';
import type { Manifest, TensorReader, WeightsLocation } from './types.ts';
import { readerOfMemory, readerOfSources, readerOfStore } from './weights.ts';

export { openOpfsStore } from './opfs-store.ts';

/** Opens the weights of a manifest where they lie, in a page or a worker; every read is checked by hash. */
export async function openWeights(manifest: Manifest, location: WeightsLocation): Promise<TensorReader> {
  if (location.kind === 'memory') return readerOfMemory(manifest, location.tensors);
  if (location.kind === 'store') return readerOfStore(manifest, await openOpfsStore());
  const sources = location.files.map((file) => {
    if (typeof file !== 'string') return new BlobSource(file);
    throw new ModelError('unreachable', `A tab cannot open the path ${file}. Pick the file.`);
  });
  return readerOfSources(manifest, sources);
}
