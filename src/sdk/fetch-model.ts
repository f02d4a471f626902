import {
  type ByteSource,
  fetchRange,
  fetchTensors,
  type Manifest,
  type ManifestTensor,
  type ModelStore,
  sliceTensors,
} from '../model/index.ts';
import type { Downloads, Wave } from './downloads.ts';
import { clientSlices } from './network/client-slices.ts';
import { Rate } from './rate.ts';
import type { Status } from './types.ts';

export interface FetchModel {
  manifest: Manifest;
  /** Missing ones are fetched. */
  tensors: readonly ManifestTensor[];
  sources: readonly ByteSource[];
  store: ModelStore;
  /** For a whole model, which stands back for parts of it; null for a part. */
  whole: { downloads: Downloads; arrived: (wave: Wave) => void } | null;
  /** What is shown while it is fetched, and while it stands back. */
  detail: { fetching: string; waiting: string };
  report: (change: Partial<Status>) => void;
  /** Milliseconds. */
  now: () => number;
  signal: AbortSignal;
}

/** Fetches what is missing of some tensors; of a whole model in waves, see `Downloads`. @throws ModelError */
export async function fetchModel(job: FetchModel): Promise<void> {
  const { manifest, store, whole, report, signal } = job;
  const missing = await store.missing(job.tensors);
  const total = totalBytes(job.tensors);
  const kept = total - totalBytes(missing);
  const rate = new Rate(job.now);
  let before = 0;
  report({ phase: 'fetching', detail: job.detail.fetching, done: kept, total });
  const fetchSome = async (tensors: readonly ManifestTensor[], sources: readonly ByteSource[]) => {
    let fetched = 0;
    await fetchTensors({
      manifest,
      names: tensors.map(({ name }) => name),
      sources: [sources],
      store,
      signal,
      onProgress: (progress) => {
        fetched = progress.fetched;
        // A tensor counts as done when it is whole and checked: shown that way the bar would stand and jump.
        const done = Math.min(total, kept + before + fetched);
        report({ done, total, bytesPerSecond: rate.add(before + fetched) });
      },
    });
    before += fetched;
  };
  if (!whole) return fetchSome(missing, job.sources);
  const { downloads, arrived } = whole;
  await keepTokenizer(job);
  arrived('tokenizer');
  for (const { wave, tensors } of inWaves(manifest, missing)) {
    if (tensors.length > 0) {
      await standBack(job, downloads, wave);
      await fetchSome(
        tensors,
        job.sources.map((source) => downloads.patient(source, wave, signal)),
      );
    }
    arrived(wave);
  }
}

async function standBack(
  { report, detail, signal }: FetchModel,
  downloads: Downloads,
  wave: Wave,
): Promise<void> {
  if (downloads.mayFetch(wave)) return;
  report({ detail: detail.waiting, bytesPerSecond: 0 });
  await downloads.turn(wave, signal);
  report({ detail: detail.fetching });
}

/** What is missing of a whole, in the order in which it is of use. */
function inWaves(
  manifest: Manifest,
  missing: readonly ManifestTensor[],
): { wave: Wave; tensors: readonly ManifestTensor[] }[] {
  const slices = clientSlices(manifest);
  const own = new Set(slices ? Object.values(slices).flatMap((slice) => sliceTensors(manifest, slice)) : []);
  return [
    { wave: 'own', tensors: missing.filter((tensor) => own.has(tensor)) },
    { wave: 'rest', tensors: missing.filter((tensor) => !own.has(tensor)) },
  ];
}

async function keepTokenizer({ manifest, sources, store, signal }: FetchModel): Promise<void> {
  for (const range of await store.missing(manifest.tokenizer?.ranges ?? [])) {
    await fetchRange({ manifest, range, sources: [sources], store, signal });
  }
}

/** Equal tensors are kept, and fetched, once. */
function totalBytes(tensors: readonly ManifestTensor[]): number {
  const byHash = new Map(tensors.map(({ sha256, bytes }) => [sha256, bytes]));
  return [...byHash.values()].reduce((sum, bytes) => sum + bytes, 0);
}
