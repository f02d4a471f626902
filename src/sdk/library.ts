import {
  BlobSource,
  type ByteSource,
  fetchTensors,
  type Manifest,
  ModelError,
  makeManifest,
  type OpenedModel,
  openModelFiles,
  readTokenizer,
  type TokenizerSpec,
  type WeightsLocation,
} from '../model/index.ts';
import { type RelayModel, relayManifest, relayModels } from './catalogue.ts';
import { ShoalError } from './errors.ts';
import type { OpenStore, Platform } from './platform.ts';
import { Rate } from './rate.ts';
import type { ModelEntry, Status, StorageUse } from './types.ts';

/** Told about each step; the library changes nothing else of a status. */
export type Report = (change: Partial<Status>) => void;

/** A model whose every byte is here. */
export interface LocalModel {
  manifest: Manifest;
  tokenizer: TokenizerSpec;
  weights: WeightsLocation;
}

/** A model opened from files, while this tab lives. */
interface Opened {
  entry: ModelEntry;
  manifest: Manifest;
  sources: ByteSource[];
  files: Blob[];
}

/** Failures of a source that may be over in a moment. */
const GONE: ReadonlySet<string> = new Set(['unreachable', 'stalled']);

/** The models of this tab: the relay's, those kept in the store, and files opened by the user. */
export class Library {
  #store: Promise<OpenStore> | null = null;
  #memory: OpenStore | null = null;
  readonly #opened = new Map<string, Opened>();

  constructor(
    private readonly platform: Platform,
    private readonly relay: URL,
  ) {}

  /** Models that can be loaded: the relay's in its order, then files. Works without the relay, from what is kept. */
  async list(signal?: AbortSignal): Promise<ModelEntry[]> {
    const { store } = await this.#open();
    const kept = await store.manifests();
    const entries: ModelEntry[] = [];
    let unreachable: unknown = null;
    try {
      for (const model of await relayModels(this.platform, this.relay, signal)) {
        entries.push(await this.#relayEntry(model));
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      unreachable = error;
    }
    for (const { cid, manifest } of kept) {
      if (entries.some((entry) => entry.cid === cid)) continue;
      const state = await this.#keptOf(cid);
      if (state.cached) entries.push(entryOf(cid, manifest, state));
    }
    for (const { entry } of this.#opened.values()) {
      if (!entries.some(({ cid }) => cid === entry.cid)) entries.push(entry);
    }
    if (entries.length === 0 && unreachable) throw unreachable;
    return entries;
  }

  async find(model: string, signal?: AbortSignal): Promise<ModelEntry> {
    const entries = await this.list(signal);
    const found = entries.find(({ id, cid }) => id === model || cid === model);
    if (found) return found;
    const names = entries.map(({ id }) => id).join(', ') || 'none';
    throw new ShoalError('no-model', `There is no model "${model}". There are: ${names}.`, {
      param: 'model',
    });
  }

  /** Fetches what is missing of a model, checking every byte; what is here already is kept and not fetched. */
  async bring(entry: ModelEntry, report: Report, signal: AbortSignal): Promise<LocalModel> {
    return this.platform.lock(`shoal.fetch.${entry.cid}`, signal, async () => {
      const opened = this.#opened.get(entry.cid);
      try {
        return await this.#fetch(entry, await this.#open(), opened, report, signal);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        if (!opened && GONE.has(error.code)) throw this.#relayGone(entry, error);
        if (error.code !== 'no-space') throw error;
        if (opened) return this.#inPlace(opened, error.message, report, signal);
        // Half a model in a full store helps nobody; a model in memory answers at least until the tab closes.
        const why = `${error.message} The model is held in memory until this tab closes.`;
        this.#memory ??= this.platform.openMemory(why);
        return this.#fetch(entry, this.#memory, opened, report, signal);
      }
    });
  }

  /** Reads and checks model files, and makes them a model of this tab. */
  async add(sources: ByteSource[], files: Blob[], report: Report, signal?: AbortSignal): Promise<ModelEntry> {
    const name = sources[0]?.name ?? '';
    report({ phase: 'checking', detail: `Checking ${name}`, done: 0, total: 0, bytesPerSecond: 0 });
    const model: OpenedModel = await openModelFiles(sources, signal);
    if (!model.tokenizer) {
      throw new ShoalError(
        'bad-model',
        `${name} has no tokenizer, so it cannot read text. Pick a chat model's .gguf file, or add tokenizer.json.`,
      );
    }
    const { manifest, cid } = await makeManifest(model, {
      signal,
      onProgress: (done, total) => report({ done, total }),
    });
    const entry = entryOf(cid, manifest, await this.#keptOf(cid));
    this.#opened.set(cid, { entry, manifest, sources: model.sources, files: inOrder(model, sources, files) });
    return entry;
  }

  async remove(cid: string): Promise<void> {
    const { store } = await this.#open();
    await store.remove(cid);
    await this.#memory?.store.remove(cid);
    this.#opened.delete(cid);
  }

  async storage(): Promise<StorageUse> {
    const { store, kind } = this.#memory ?? (await this.#open());
    return { ...(await store.usage()), kind };
  }

  /** Why nothing is kept, when nothing is. */
  async notice(): Promise<string | null> {
    return this.#memory?.notice ?? (await this.#open()).notice;
  }

  #relayGone(entry: ModelEntry, cause: ModelError): ShoalError {
    return new ShoalError(
      'unreachable',
      `The relay at ${this.relay.host} does not answer while ${entry.name} is fetched. ` +
        'What has arrived is kept: Retry goes on from there.',
      { cause },
    );
  }

  #open(): Promise<OpenStore> {
    this.#store ??= this.platform.openStore();
    return this.#store;
  }

  async #isWhole(cid: string): Promise<boolean> {
    return (await this.#keptOf(cid)).cached;
  }

  /** What the store has of a model. */
  async #keptOf(cid: string): Promise<Pick<ModelEntry, 'cached' | 'kept'>> {
    const { store } = await this.#open();
    try {
      const { present, total } = await store.state(cid);
      return { cached: present === total, kept: present };
    } catch (error) {
      if (error instanceof ModelError && error.code === 'not-found') return { cached: false, kept: 0 };
      throw error;
    }
  }

  async #relayEntry({ id, cid, name, layers, bytes, license }: RelayModel): Promise<ModelEntry> {
    return { id, cid, name, layers, bytes, license, ...(await this.#keptOf(cid)), origin: 'relay' };
  }

  async #fetch(
    entry: ModelEntry,
    { store, location }: OpenStore,
    opened: Opened | undefined,
    report: Report,
    signal: AbortSignal,
  ): Promise<LocalModel> {
    const kept = (await store.manifests()).find(({ cid }) => cid === entry.cid)?.manifest;
    const whole = kept && (await this.#isWhole(entry.cid));
    let manifest = kept ?? opened?.manifest;
    let sources = opened?.sources ?? [];
    if (!whole && !opened) {
      report({ phase: 'fetching', detail: `Fetching ${entry.name}`, done: 0, total: entry.bytes });
      const listed = (await relayModels(this.platform, this.relay, signal)).find(
        ({ cid }) => cid === entry.cid,
      );
      if (!listed) {
        throw new ShoalError('no-model', `The relay no longer has ${entry.name}. Choose another model.`);
      }
      manifest ??= (await relayManifest(this.platform, this.relay, listed, signal)).manifest;
      sources = await Promise.all(
        listed.files.map((file) => this.platform.openUrl(new URL(file, this.relay), signal)),
      );
    }
    if (!manifest) throw new ShoalError('no-model', `${entry.name} is not here. Load it again.`);
    if (!whole) {
      const rate = new Rate(() => this.platform.now());
      let before: number | null = null;
      report({
        phase: 'fetching',
        detail: opened ? `Keeping ${entry.name} in this browser` : `Fetching ${entry.name}`,
      });
      await fetchTensors({
        manifest,
        names: manifest.tensors.map(({ name }) => name),
        sources: [sources],
        store,
        signal,
        onProgress: ({ done, total, fetched }) => {
          before ??= done;
          // A tensor counts as done when it is whole and checked: shown that way the bar would stand and jump.
          const arrived = Math.min(total, Math.max(done, before + fetched));
          report({ done: arrived, total, bytesPerSecond: rate.add(fetched) });
        },
      });
    }
    report({ phase: 'checking', detail: 'Reading the tokenizer', done: 0, total: 0, bytesPerSecond: 0 });
    const tokenizer = await readTokenizer(manifest, { store, sources: [sources], signal });
    if (!tokenizer) throw new ShoalError('bad-model', `${entry.name} has no tokenizer. Choose a chat model.`);
    return { manifest, tokenizer, weights: location };
  }

  /** Runs picked files from where they are, when the browser has no room for a copy. */
  async #inPlace(opened: Opened, why: string, report: Report, signal: AbortSignal): Promise<LocalModel> {
    const { manifest, sources, files, entry } = opened;
    report({ phase: 'checking', detail: 'Reading the tokenizer', done: 0, total: 0 });
    this.#memory ??= this.platform.openMemory(`${why} Pick the file again after a reload.`);
    const tokenizer = await readTokenizer(manifest, {
      store: this.#memory.store,
      sources: [sources],
      signal,
    });
    if (!tokenizer) throw new ShoalError('bad-model', `${entry.name} has no tokenizer. Choose a chat model.`);
    return { manifest, tokenizer, weights: { kind: 'files', files } };
  }
}

function entryOf(cid: string, manifest: Manifest, state: Pick<ModelEntry, 'cached' | 'kept'>): ModelEntry {
  const bytes = manifest.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const id = `${manifest.name.toLowerCase().replace(/[^a-z0-9.]+/g, '-')}-${cid.slice(-6)}`;
  return {
    id,
    cid,
    name: manifest.name,
    layers: manifest.config.layers,
    bytes,
    ...state,
    license: null,
    origin: 'file',
  };
}

/** The picked files in the manifest's order. */
function inOrder(model: OpenedModel, given: readonly ByteSource[], files: readonly Blob[]): Blob[] {
  return model.sources.map((source) => files[given.indexOf(source)]).filter((file) => file !== undefined);
}

/** Sources of picked files. */
export function blobSources(files: readonly File[]): ByteSource[] {
  return files.map((file) => new BlobSource(file));
}
