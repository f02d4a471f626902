import { ModelError } from './errors.ts';
import { expectHash } from './hash.ts';
import { readSpan } from './ranges.ts';
import type { ModelStore } from './store.ts';
import type { ByteSource, Manifest, ManifestTensor, TensorReader } from './types.ts';

/** Reads tensors through `fetchBytes`, which finds the bytes of one tensor somewhere, and checks the hash of each. */
function checkedReader(
  manifest: Manifest,
  fetchBytes: (tensor: ManifestTensor, signal?: AbortSignal) => Promise<Uint8Array>,
): TensorReader {
  const byName = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    async read(name, signal) {
      const tensor = byName.get(name);
      if (!tensor) throw new ModelError('missing-tensor', `The model has no tensor named ${name}.`);
      const data = await fetchBytes(tensor, signal);
      await expectHash(data, tensor.sha256, name);
      return data;
    },
  };
}

/** Tensors out of whole model files, in the order of the manifest. */
export function readerOfSources(manifest: Manifest, sources: readonly ByteSource[]): TensorReader {
  requireFiles(manifest, sources);
  return {
    ...checkedReader(manifest, (tensor, signal) => readSpan(sources[tensor.file]!, tensor, { signal })),
    async close() {
      for (const source of sources) await source.close?.();
    },
  };
}

/** Tensors out of memory, by hash. */
export function readerOfMemory(manifest: Manifest, tensors: ReadonlyMap<string, Uint8Array>): TensorReader {
  return checkedReader(manifest, async ({ name, sha256 }) => {
    const data = tensors.get(sha256);
    if (!data)
      throw new ModelError('not-found', `${name} is not among the tensors in memory. Fetch it first.`);
    return data;
  });
}

/** Tensors out of a store, which checks each hash itself. */
export function readerOfStore(manifest: Manifest, store: ModelStore): TensorReader {
  const byName = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    async read(name, signal) {
      const tensor = byName.get(name);
      if (!tensor) throw new ModelError('missing-tensor', `The model has no tensor named ${name}.`);
      return store.read(tensor.sha256, tensor.bytes, signal);
    },
  };
}

/** @throws ModelError `wrong-shape` when the files cannot be the manifest's */
export function requireFiles(manifest: Manifest, sources: readonly ByteSource[]): void {
  const fits = manifest.files.every((file, i) => sources[i]?.size === file.bytes);
  if (!fits || sources.length !== manifest.files.length)
    throw new ModelError(
      'wrong-shape',
      `${sources[0]?.name ?? 'No file'} does not have the sizes of ${manifest.name}: another model, or an incomplete file.`,
    );
}
