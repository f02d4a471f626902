import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  encodeManifest,
  type Manifest,
  makeManifest,
  openModelFiles,
  parseManifest,
} from '../src/model/index.ts';
import { PathSource, sourcesFrom } from '../src/model/node.ts';
import { writeWhole } from './guard/write-whole.ts';

/** A model on this disk: its manifest, and the paths of its files in manifest order. */
export interface DescribedModel {
  manifest: Manifest;
  manifestBytes: Uint8Array;
  cid: string;
  files: { path: string; bytes: number; modified: number }[];
}

export interface DescribeOptions {
  /** Bytes hashed, of all. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** What is kept beside a manifest, to know whether it still describes the files. */
interface Stamp {
  cid: string;
  files: DescribedModel['files'];
}

/**
 * The manifest of the model in a file or folder. Hashing a model takes seconds per gigabyte, so the manifest is
 * kept at `keep` and used again while every file has the size and modification time it had then.
 * @throws ModelError when the files are no model that runs
 */
export async function describeModel(
  path: string,
  keep: string,
  options: DescribeOptions = {},
): Promise<DescribedModel> {
  return (await recall(keep, path)) ?? (await describe(path, keep, options));
}

async function describe(path: string, keep: string, options: DescribeOptions): Promise<DescribedModel> {
  const sources = await sourcesFrom(path, options.signal);
  try {
    const opened = await openModelFiles(sources, options.signal);
    const { manifest, cid } = await makeManifest(opened, options);
    const files: DescribedModel['files'] = [];
    for (const source of opened.sources) {
      if (source instanceof PathSource) files.push(await facts(source.path));
    }
    const manifestBytes = encodeManifest(manifest);
    await writeWhole(keep, manifestBytes);
    // The stamp comes last: without it the manifest is made again.
    await writeWhole(stampOf(keep), JSON.stringify({ cid, files } satisfies Stamp));
    return { manifest, manifestBytes, cid, files };
  } finally {
    for (const source of sources) await source.close?.();
  }
}

async function recall(keep: string, path: string): Promise<DescribedModel | null> {
  try {
    const { cid, files }: Stamp = JSON.parse(await readFile(stampOf(keep), 'utf8'));
    for (const file of files) {
      const now = await facts(file.path);
      const isOurs = file.path === path || dirname(file.path) === path;
      if (!isOurs || now.bytes !== file.bytes || now.modified !== file.modified) return null;
    }
    const manifestBytes = await readFile(keep);
    const manifest = await parseManifest(manifestBytes, cid);
    return files.length === manifest.files.length ? { manifest, manifestBytes, cid, files } : null;
  } catch {
    // Absent, cut short or edited: all of it can be made again from the model.
    return null;
  }
}

function stampOf(keep: string): string {
  return keep.replace(/\.json$/, '.stamp.json');
}

async function facts(path: string): Promise<DescribedModel['files'][number]> {
  const { size, mtimeMs } = await stat(path);
  return { path, bytes: size, modified: mtimeMs };
}
