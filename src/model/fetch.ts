import { asModelError, throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import { expectHash } from './hash.ts';
import { encodeManifest, manifestCid } from './manifest.ts';
import { type Batch, batchSpans, readSpan } from './ranges.ts';
import { type Alternative, SourceList } from './source-list.ts';
import { bytesOf, type ModelStore } from './store.ts';
import type { HashedRange, Manifest, ManifestTensor } from './types.ts';

/** Two keep a link busy while one is being hashed and written; more would only hold more memory. */
const IN_FLIGHT = 2;

export interface FetchProgress {
  /** Bytes of the tensors asked for that are in the store, of all. */
  done: number;
  total: number;
  /** Bytes that came over the wire in this call. */
  fetched: number;
}

export interface FetchOptions {
  manifest: Manifest;
  /** Names of the tensors wanted. */
  names: readonly string[];
  /** Alternatives in order of preference; each gives the manifest's files in order. */
  sources: readonly Alternative[];
  store: ModelStore;
  onProgress?: (progress: FetchProgress) => void;
  signal?: AbortSignal;
}

/**
 * Fills the store with the tensors that are missing. Each is checked by hash before it is kept; a source that fails or
 * sends other bytes is left for the next one. What was fetched stays: a second call goes on where this one ended.
 * @throws ModelError of the last source when all fail; `no-space`, `aborted`
 */
export async function fetchTensors(options: FetchOptions): Promise<void> {
  const { manifest, names, store, onProgress, signal } = options;
  const wanted = distinct(manifest, names);
  throwIfAborted(signal);
  const missing = await store.missing(wanted);
  const total = bytesOf(wanted);
  const progress: FetchProgress = { done: total - bytesOf(missing), total, fetched: 0 };
  onProgress?.({ ...progress });
  await store.addManifest(await manifestCid(manifest), encodeManifest(manifest));
  if (missing.length === 0) return;

  // One failure ends the other transfers, too.
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const sources = new SourceList(manifest, options.sources);
  const queue = batchSpans(missing);
  const kept = new Set<string>();
  const fetchBatch = (batch: Batch<ManifestTensor>) =>
    sources.use(both, async (files) => {
      const rest = batch.items.filter((tensor) => !kept.has(tensor.sha256));
      for (const part of batchSpans(rest)) {
        const data = await readSpan(files[part.file]!, part, {
          signal: both,
          onBytes: (count) => {
            progress.fetched += count;
            onProgress?.({ ...progress });
          },
        });
        for (const tensor of part.items) {
          const start = tensor.offset - part.offset;
          await store.write(tensor.sha256, data.subarray(start, start + tensor.bytes));
          kept.add(tensor.sha256);
          progress.done += tensor.bytes;
          onProgress?.({ ...progress });
        }
      }
    });
  const worker = async () => {
    for (let batch = queue.shift(); batch; batch = queue.shift()) await fetchBatch(batch);
  };
  const workers = Array.from({ length: IN_FLIGHT }, () =>
    worker().catch((error: unknown) => {
      // The first failure is the one to tell; it makes the others `aborted`.
      if (!stop.signal.aborted) stop.abort(error);
    }),
  );
  await Promise.all(workers);
  throwIfAborted(signal);
  if (stop.signal.aborted)
    throw asModelError(stop.signal.reason, 'unreachable', 'The model could not be fetched.');
}

/**
 * Bytes of one checked range (a tokenizer), from the store or else from the sources; kept in the store when given.
 * @throws ModelError as `fetchTensors`
 */
export async function fetchRange(options: {
  manifest: Manifest;
  range: HashedRange;
  sources?: readonly Alternative[];
  store?: ModelStore;
  signal?: AbortSignal;
}): Promise<Uint8Array> {
  const { manifest, range, store, signal } = options;
  if (await store?.has(range.sha256, range.bytes)) {
    try {
      return await store!.read(range.sha256, range.bytes, signal);
    } catch (error) {
      // A damaged blob was deleted by the store: fetch it again, if there is a source.
      if (!(error instanceof ModelError && error.code === 'wrong-hash')) throw error;
    }
  }
  const sources = new SourceList(manifest, options.sources ?? []);
  const data = await sources.use(signal, async (files) => {
    const bytes = await readSpan(files[range.file]!, range, { signal });
    await expectHash(bytes, range.sha256, manifest.files[range.file]!.name);
    return bytes;
  });
  await store?.write(range.sha256, data);
  return data;
}

/** The tensors by name; of several with the same contents, one. */
function distinct(manifest: Manifest, names: readonly string[]): ManifestTensor[] {
  const byName = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const byHash = new Map<string, ManifestTensor>();
  for (const name of names) {
    const tensor = byName.get(name);
    if (!tensor) throw new ModelError('missing-tensor', `The model has no tensor named ${name}.`);
    byHash.set(tensor.sha256, tensor);
  }
  return [...byHash.values()];
}
