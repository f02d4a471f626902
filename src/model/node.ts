/** The second door, for Node only: everything that needs a file system. */

import { ModelError } from './errors.ts';
import { openFolderStore } from './folder-store.ts';
import { PathSource } from './path-source.ts';
import { BlobSource } from './sources.ts';
import type { Manifest, TensorReader, WeightsLocation } from './types.ts';
import { readerOfMemory, readerOfSources, readerOfStore } from './weights.ts';

export {
  type DownloadOptions,
  type DownloadProgress,
  fetchModelFiles,
} from './download/fetch-model-files.ts';
export { openFolderStore } from './folder-store.ts';
export { sourcesFrom } from './node-sources.ts';
export { PathSource } from './path-source.ts';

/** Opens the weights of a manifest where they lie; every read is checked by hash. */
export async function openWeights(manifest: Manifest, location: WeightsLocation): Promise<TensorReader> {
  if (location.kind === 'memory') return readerOfMemory(manifest, location.tensors);
  if (location.kind === 'files') {
    const sources = [];
    for (const file of location.files)
      sources.push(typeof file === 'string' ? await PathSource.open(file) : new BlobSource(file));
    return readerOfSources(manifest, sources);
  }
  if (location.root === undefined)
    throw new ModelError('not-found', 'In Node a store is a folder: give its path as `root`.');
  return readerOfStore(manifest, await openFolderStore(location.root));
}
