import { ModelError } from './errors.ts';
import { ContentStore, type StoreFiles, type StoreFolder } from './store.ts';

/** Half of what a 32-bit WASM tab can address; a browser without OPFS is an old or private one. */
const DEFAULT_LIMIT = 2 ** 31;

/** A store that ends with the page, for browsers without OPFS. */
export class MemoryStore extends ContentStore {
  /** The blobs by sha256, as they come and go: what a `WeightsLocation` of kind `memory` takes. */
  readonly tensors: Map<string, Uint8Array>;

  /** @param limit most bytes held */
  constructor(limit = DEFAULT_LIMIT) {
    const files = new MemoryFiles(limit);
    super(files);
    this.tensors = files.blobs;
  }
}

class MemoryFiles implements StoreFiles {
  readonly blobs = new Map<string, Uint8Array>();
  readonly #files = { blobs: this.blobs, manifests: new Map<string, Uint8Array>() };
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async size(folder: StoreFolder, name: string) {
    return this.#files[folder].get(name)?.length ?? null;
  }

  async read(folder: StoreFolder, name: string) {
    const data = this.#files[folder].get(name);
    if (!data) throw new ModelError('not-found', `${name} is not in memory.`);
    return data.slice();
  }

  async write(folder: StoreFolder, name: string, data: Uint8Array) {
    const others = this.#used() - (this.#files[folder].get(name)?.length ?? 0);
    if (others + data.length > this.#limit)
      throw new ModelError(
        'no-space',
        `${data.length} bytes are needed and ${this.#limit - others} are free in memory. Remove a model first.`,
      );
    this.#files[folder].set(name, data.slice());
  }

  async remove(folder: StoreFolder, name: string) {
    this.#files[folder].delete(name);
  }

  async list(folder: StoreFolder) {
    return [...this.#files[folder]].map(([name, data]) => ({ name, bytes: data.length }));
  }

  async limits() {
    return { quota: this.#limit, persisted: false };
  }

  #used(): number {
    const all = [...this.#files.blobs.values(), ...this.#files.manifests.values()];
    return all.reduce((sum, data) => sum + data.length, 0);
  }
}
