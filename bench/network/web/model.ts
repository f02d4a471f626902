import type { Engine } from '../../../src/engine/index.ts';
import { loadEngine } from '../../../src/engine/web.ts';
import type { Manifest } from '../../../src/model/index.ts';
import {
  fetchTensors,
  HttpSource,
  MemoryStore,
  parseManifest,
  type Slice,
  sliceTensors,
} from '../../../src/model/index.ts';

/** A model of which this tab fetches only what it runs. */
export class TabModel {
  readonly #store = new MemoryStore();

  private constructor(
    readonly manifest: Manifest,
    readonly cid: string,
    private readonly file: string,
  ) {}

  /** @param encoded the manifest, as `encodeManifest` writes it; @param file URL of the model file */
  static async open(encoded: string, cid: string, file: string): Promise<TabModel> {
    const manifest = await parseManifest(new TextEncoder().encode(encoded), cid);
    return new TabModel(manifest, cid, new URL(file, location.href).href);
  }

  /** Loads a slice on one WASM thread, so that several tabs fit on a small machine. */
  async engine(slice: Slice, maxTokens: number): Promise<Engine> {
    const { manifest } = this;
    await fetchTensors({
      manifest,
      names: sliceTensors(manifest, slice).map(({ name }) => name),
      sources: [[await HttpSource.open(this.file)]],
      store: this.#store,
    });
    return loadEngine({
      manifest,
      slice,
      weights: { kind: 'memory', tensors: this.#store.tensors },
      backends: ['wasm'],
      threads: 1,
      maxTokens,
      measure: false,
    });
  }
}
