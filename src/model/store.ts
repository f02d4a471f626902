import { throwIfAborted } from './checks.ts';
import { isContentId } from './cid.ts';
import { ModelError } from './errors.ts';
import { expectHash, SHA256_HEX } from './hash.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from './manifest-parse.ts';
import type { Manifest } from './types.ts';

export interface StoreUsage {
  /** Bytes held. */
  used: number;
  /** Most bytes this place will hold, where it says so. */
  quota: number | null;
  /** False when the browser may throw the store away under pressure. */
  persisted: boolean;
}

/** What a blob is known by: the hash of its contents, and its size. */
export interface BlobName {
  sha256: string;
  bytes: number;
}

/** What has been fetched of a model, by content: every blob is a tensor or a tokenizer file under its SHA-256. */
export interface ModelStore {
  /** True when a blob of this size is there; `read` checks its contents. */
  has(sha256: string, bytes: number): Promise<boolean>;
  /**
   * Those of the blobs that are not there, in the given order. Asked all at once: on a busy device each question waits
   * for its turn, and a model has hundreds of blobs.
   */
  missing<T extends BlobName>(blobs: readonly T[]): Promise<T[]>;
  /** @throws ModelError `not-found`; `wrong-hash` for a damaged blob, which is deleted so that it is fetched again */
  read(sha256: string, bytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Keeps a blob, all of it or nothing. @throws ModelError `wrong-hash`, `no-space` */
  write(sha256: string, data: Uint8Array): Promise<void>;
  addManifest(cid: string, manifestBytes: Uint8Array): Promise<void>;
  manifests(): Promise<{ cid: string; manifest: Manifest }[]>;
  /** Bytes of a model that are here, of all; both 0 for a model the store has never heard of. */
  state(cid: string): Promise<{ present: number; total: number }>;
  /** Forgets a model and frees the blobs that no other one uses. */
  remove(cid: string): Promise<void>;
  usage(): Promise<StoreUsage>;
}

export type StoreFolder = 'blobs' | 'manifests';

/** Two flat folders, on whatever a platform offers. Names are hashes and cids; they were checked. */
export interface StoreFiles {
  /** Bytes, or null when there is no such file. */
  size(folder: StoreFolder, name: string): Promise<number | null>;
  read(folder: StoreFolder, name: string): Promise<Uint8Array>;
  /** All or nothing, also when the process dies. @throws ModelError `no-space` */
  write(folder: StoreFolder, name: string, data: Uint8Array): Promise<void>;
  /** No error when it is already gone. */
  remove(folder: StoreFolder, name: string): Promise<void>;
  list(folder: StoreFolder): Promise<{ name: string; bytes: number }[]>;
  limits(): Promise<Pick<StoreUsage, 'quota' | 'persisted'>>;
}

/** The one store; platforms differ in their `StoreFiles` only. */
export class ContentStore implements ModelStore {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  async has(sha256: string, bytes: number): Promise<boolean> {
    return (await this.#files.size('blobs', checkedHash(sha256))) === bytes;
  }

  async missing<T extends BlobName>(blobs: readonly T[]): Promise<T[]> {
    const here = await Promise.all(blobs.map(({ sha256, bytes }) => this.has(sha256, bytes)));
    return blobs.filter((_, i) => !here[i]);
  }

  async read(sha256: string, bytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    const size = await this.#files.size('blobs', checkedHash(sha256));
    if (size === null)
      throw new ModelError('not-found', `The blob ${sha256} is not here yet. Fetch the model first.`);
    try {
      if (size !== bytes)
        throw new ModelError('wrong-hash', `The blob ${sha256} has ${size} bytes, not ${bytes}.`);
      const data = await this.#files.read('blobs', sha256);
      await expectHash(data, sha256, `The blob ${sha256}`);
      return data;
    } catch (error) {
      if (error instanceof ModelError && error.code === 'wrong-hash')
        await this.#files.remove('blobs', sha256);
      throw error;
    }
  }

  async write(sha256: string, data: Uint8Array): Promise<void> {
    await expectHash(data, checkedHash(sha256), `The blob ${sha256}`);
    await this.#files.write('blobs', sha256, data);
  }

  async addManifest(cid: string, manifestBytes: Uint8Array): Promise<void> {
    await parseManifest(manifestBytes, checkedCid(cid));
    await this.#files.write('manifests', cid, manifestBytes);
  }

  async manifests(): Promise<{ cid: string; manifest: Manifest }[]> {
    const found = [];
    for (const { name: cid, bytes } of await this.#files.list('manifests')) {
      if (!isContentId(cid) || bytes > MAX_MANIFEST_BYTES) continue;
      const manifest = await this.#manifest(cid);
      if (manifest) found.push({ cid, manifest });
    }
    return found;
  }

  async state(cid: string): Promise<{ present: number; total: number }> {
    const size = await this.#files.size('manifests', checkedCid(cid));
    const manifest = size === null ? null : await this.#manifest(cid);
    if (!manifest) return { present: 0, total: 0 };
    const blobs = [...blobsOf(manifest)].map(([sha256, bytes]) => ({ sha256, bytes }));
    const total = bytesOf(blobs);
    return { present: total - bytesOf(await this.missing(blobs)), total };
  }

  async remove(cid: string): Promise<void> {
    const all = await this.manifests();
    const kept = all.filter((entry) => entry.cid !== checkedCid(cid));
    const used = new Set(kept.flatMap(({ manifest }) => [...blobsOf(manifest).keys()]));
    const gone = all.find((entry) => entry.cid === cid);
    // Blobs first: when this is cut short, the model is still listed and can be removed again.
    for (const sha256 of gone ? blobsOf(gone.manifest).keys() : [])
      if (!used.has(sha256)) await this.#files.remove('blobs', sha256);
    await this.#files.remove('manifests', cid);
  }

  async usage(): Promise<StoreUsage> {
    const files = [...(await this.#files.list('blobs')), ...(await this.#files.list('manifests'))];
    return { used: bytesOf(files), ...(await this.#files.limits()) };
  }

  /** Null for a damaged manifest, which is deleted. */
  async #manifest(cid: string): Promise<Manifest | null> {
    const bytes = await this.#files.read('manifests', cid);
    try {
      return await parseManifest(bytes, cid);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      await this.#files.remove('manifests', cid);
      return null;
    }
  }
}

/** Every blob of a model with its size, once: equal tensors share one. */
export function blobsOf(manifest: Manifest): Map<string, number> {
  const parts = [...manifest.tensors, ...(manifest.tokenizer?.ranges ?? [])];
  return new Map(parts.map(({ sha256, bytes }) => [sha256, bytes]));
}

export function bytesOf(files: readonly { bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function checkedHash(sha256: string): string {
  if (!SHA256_HEX.test(sha256))
    throw new ModelError('malformed', `"${sha256.slice(0, 80)}" is not a SHA-256 in hex.`);
  return sha256;
}

function checkedCid(cid: string): string {
  if (!isContentId(cid))
    throw new ModelError('malformed', `"${cid.slice(0, 80)}" is not the cid of a model.`);
  return cid;
}
