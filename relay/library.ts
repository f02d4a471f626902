import { basename, join, resolve } from 'node:path';
import { CATALOGUE, type CatalogueEntry } from '../src/model/index.ts';
import { fetchModelFiles, sourcesFrom } from '../src/model/node.ts';
import { describeModel } from './describe.ts';
import { download } from './download.ts';
import type { ServedModel } from './shelf.ts';

export interface PrepareProgress {
  stage: 'fetching' | 'hashing';
  /** Where the bytes come from; null when they are here. */
  source: string | null;
  /** Bytes. */
  done: number;
  total: number;
}

export interface PrepareOptions {
  onProgress?: (progress: PrepareProgress) => void;
  signal?: AbortSignal;
}

/**
 * Brings a model onto this disk, where it is not there yet, and describes it.
 * `wanted`: the id of a catalogue entry, a URL, or the path of a file or folder, which is served from where it lies.
 * Downloads and manifests go to `<data>/models`.
 * @throws ModelError with what to do
 */
export async function prepareModel(
  wanted: string,
  data: string,
  { onProgress, signal }: PrepareOptions = {},
): Promise<ServedModel> {
  const folder = join(resolve(data), 'models');
  const entry = CATALOGUE.find(({ id }) => id === wanted);
  const fetching = (source: string, done: number, total: number) =>
    onProgress?.({ stage: 'fetching', source, done, total });
  const path = entry
    ? await fetchEntry(entry, folder, fetching, signal)
    : /^https?:\/\//i.test(wanted)
      ? await fetchUrl(wanted, folder, fetching, signal)
      : resolve(wanted);
  const described = await describeModel(path, join(folder, `${basename(path)}.manifest.json`), {
    onProgress: (done, total) => onProgress?.({ stage: 'hashing', source: null, done, total }),
    signal,
  });
  const { manifest, manifestBytes, cid, files } = described;
  return {
    id: entry?.id ?? idOf(path),
    cid,
    name: entry?.name ?? manifest.name,
    layers: manifest.config.layers,
    license: entry?.licence ?? null,
    manifest: manifestBytes,
    files: files.map((file, i) => ({ ...file, name: manifest.files[i]!.name })),
  };
}

type OnFetch = (source: string, done: number, total: number) => void;

async function fetchEntry(entry: CatalogueEntry, folder: string, onFetch: OnFetch, signal?: AbortSignal) {
  const [first, ...rest] = await fetchModelFiles(entry, folder, {
    onProgress: ({ source, done, total }) => onFetch(source, done, total),
    signal,
  });
  // Several files are opened together, by their folder.
  return first !== undefined && rest.length === 0 ? first : folder;
}

/** Downloads what a URL names, once: a .gguf as a file, a Hugging Face folder as a folder. */
async function fetchUrl(
  url: string,
  folder: string,
  onFetch: OnFetch,
  signal?: AbortSignal,
): Promise<string> {
  const sources = await sourcesFrom(url, signal);
  const single = sources.length === 1 ? sources[0] : undefined;
  const target = single ? folder : join(folder, folderNameOf(url));
  const total = sources.reduce((sum, source) => sum + source.size, 0);
  let before = 0;
  for (const source of sources) {
    const start = before;
    const onProgress = (done: number) => onFetch(new URL(url).host, start + done, total);
    await download(source, join(target, basename(source.name)), url, { onProgress, signal });
    before += source.size;
  }
  return single ? join(target, basename(single.name)) : target;
}

/** `https://host/owner/name/resolve/main/config.json` becomes `owner-name-resolve-main`. */
function folderNameOf(url: string): string {
  return idOf(new URL(url).pathname.replace(/\/config\.json$|\/$/, '').replaceAll('/', '-'));
}

/** A file or folder name in the letters of an id. */
function idOf(path: string): string {
  const name = basename(path).replace(/\.(gguf|safetensors)$/i, '');
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9.]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '') || 'model'
  );
}
