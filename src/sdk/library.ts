import {
  BlobSource,
  type ByteSource,
  type Manifest,
  type ManifestTensor,
  ModelError,
  type ModelStore,
  makeManifest,
  type OpenedModel,
  openModelFiles,
  readTokenizer,
  type Slice,
  sliceTensors,
  type TokenizerSpec,
  type WeightsLocation,
} from '../model/index.ts';
import { type RelayModel, relayModels } from './catalogue.ts';
import { Downloads, type Wave } from './downloads.ts';
import { ShoalError } from './errors.ts';
import { fetchModel } from './fetch-model.ts';
import { KnownFigures, NO_FIGURES } from './figures.ts';
import { Manifests } from './manifests.ts';
import type { OpenStore, Platform } from './platform.ts';
import type { ModelEntry, Privacy, ShoalOptions, Status, StorageUse } from './types.ts';

/** Told about each step; the library changes nothing else of a status. */
export type Report = (change: Partial<Status>) => void;

/** A model whose every byte is here. */
export interface LocalModel {
  manifest: Manifest;
  tokenizer: TokenizerSpec;
  weights: WeightsLocation;
}

/** Slices of a model that are here; the tokenizer is fetched when it is asked for. */
export interface PartialModel {
  manifest: Manifest;
  weights: WeightsLocation;
  tokenizer(): Promise<TokenizerSpec>;
}

/** Tensors to bring, out of a manifest. */
interface Wanted {
  tensors: (manifest: Manifest) => readonly ManifestTensor[];
  /** Of a whole model: told what has arrived. */
  arrived: ((wave: Wave) => void) | null;
}

interface Brought {
  manifest: Manifest;
  weights: WeightsLocation;
  store: ModelStore;
  /** Empty when nothing had to be fetched. */
  sources: ByteSource[];
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
  readonly #manifests: Manifests;
  readonly #downloads = new Downloads();
  /** Of the last list of the relay's. */
  #listing: readonly RelayModel[] = [];
  readonly #figures: KnownFigures;

  constructor(
    private readonly platform: Platform,
    readonly relay: URL,
    options: Pick<ShoalOptions, 'maxTokens' | 'backends'> = {},
  ) {
    this.#manifests = new Manifests(platform, relay);
    const never = new AbortController().signal;
    this.#figures = new KnownFigures(platform, options, (entry) => this.manifest(entry, never));
  }

  /** Models that can be loaded: the relay's in its order, then files. Works without the relay, from what is kept. */
  async list(signal?: AbortSignal): Promise<ModelEntry[]> {
    const { store } = await this.#open();
    const kept = await store.manifests();
    const entries: ModelEntry[] = [];
    let unreachable: unknown = null;
    try {
      this.#listing = await relayModels(this.platform, this.relay, signal);
      for (const model of this.#listing) entries.push(await this.#relayEntry(model));
    } catch (error) {
      if (signal?.aborted) throw error;
      unreachable = error;
    }
    for (const { cid, manifest } of kept) {
      if (entries.some((entry) => entry.cid === cid)) continue;
      const state = await this.#keptOf(cid);
      if (state.cached) entries.push({ ...entryOf(cid, manifest, state), ...this.#figures.of(cid) });
    }
    for (const { entry } of this.#opened.values()) {
      if (!entries.some(({ cid }) => cid === entry.cid)) entries.push(entry);
    }
    if (entries.length === 0 && unreachable) throw unreachable;
    return entries;
  }

  /** As `list`, with what the models' manifests tell; what is not here soon is in the next list. */
  async listWithFigures(): Promise<ModelEntry[]> {
    return this.#figures.fill(await this.list());
  }

  /** The entry of a model whose manifest is at hand, with what it tells. */
  async described(entry: ModelEntry): Promise<ModelEntry> {
    return { ...entry, ...(await this.#figures.look(entry)) };
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

  /**
   * Fetches what is missing of a model, checking every byte; what is here already is kept and not fetched. What the
   * network route needs of it comes first.
   */
  bring(entry: ModelEntry, report: Report, signal: AbortSignal): Promise<LocalModel> {
    const fetch = async (arrived: (wave: Wave) => void) => {
      const got = await this.#bring(
        entry,
        { tensors: (manifest) => manifest.tensors, arrived },
        report,
        signal,
      );
      return { ...got, tokenizer: await this.#tokenizer(entry, got, report, signal) };
    };
    return this.platform.lock(`shoal.fetch.${entry.cid}`, signal, () =>
      this.#downloads.whole(entry.cid, signal, fetch),
    );
  }

  /**
   * As `bring`, but only the tensors of some slices. Does not wait for another tab that fetches the whole model; in
   * this one, nothing is fetched twice.
   * @param slicesOf null: none, for the tokenizer alone
   */
  async bringSlices(
    entry: ModelEntry,
    slicesOf: ((manifest: Manifest) => readonly Slice[]) | null,
    report: Report,
    signal: AbortSignal,
  ): Promise<PartialModel> {
    const tensors = (manifest: Manifest) =>
      slicesOf?.(manifest).flatMap((slice) => sliceTensors(manifest, slice)) ?? [];
    const got = await this.#downloads.part(entry.cid, slicesOf ? 'own' : 'tokenizer', signal, () =>
      this.#bring(entry, { tensors, arrived: null }, report, signal),
    );
    return {
      manifest: got.manifest,
      weights: got.weights,
      tokenizer: () =>
        this.#downloads.part(entry.cid, 'tokenizer', signal, () =>
          this.#tokenizer(entry, got, report, signal),
        ),
    };
  }

  /**
   * Whole models stand back for an answer over the network, but for what that answer needs of them itself.
   * @returns a function that calls it off, which happens by itself when the network stays silent
   */
  standBack(privacy: Privacy): () => void {
    return this.#downloads.standBack(privacy === 'private' ? 'own' : 'tokenizer');
  }

  /** The description of a model, for a decision before anything of it is fetched. */
  async manifest(entry: ModelEntry, signal: AbortSignal): Promise<Manifest> {
    const { manifest } = await this.#describe(entry, (await this.#open()).store, signal);
    return manifest;
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
    const bare = entryOf(cid, manifest, await this.#keptOf(cid));
    const opened = { manifest, sources: model.sources, files: inOrder(model, sources, files) };
    this.#opened.set(cid, { ...opened, entry: bare });
    const entry = await this.described(bare);
    this.#opened.set(cid, { ...opened, entry });
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

  /** What the store has of a model. */
  async #keptOf(cid: string): Promise<Pick<ModelEntry, 'cached' | 'kept'>> {
    const { store } = await this.#open();
    try {
      const { present, total } = await store.state(cid);
      // Of a model that it has never heard of, the store has none of nothing.
      return { cached: total > 0 && present === total, kept: present };
    } catch (error) {
      if (error instanceof ModelError && error.code === 'not-found') return { cached: false, kept: 0 };
      throw error;
    }
  }

  async #relayEntry({ id, cid, name, layers, bytes, license }: RelayModel): Promise<ModelEntry> {
    const kept = await this.#keptOf(cid);
    return { id, cid, name, layers, bytes, license, ...kept, origin: 'relay', ...this.#figures.of(cid) };
  }

  async #bring(entry: ModelEntry, wanted: Wanted, report: Report, signal: AbortSignal): Promise<Brought> {
    const opened = this.#opened.get(entry.cid);
    try {
      return await this.#fetch(entry, await this.#open(), wanted, report, signal);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (!opened && GONE.has(error.code)) throw this.#relayGone(entry, error);
      if (error.code !== 'no-space') throw error;
      if (opened) {
        // The picked files are run from where they are.
        const { manifest, sources, files } = opened;
        const why = `${error.message} Pick the file again after a reload.`;
        this.#memory ??= this.platform.openMemory(why);
        return { manifest, sources, store: this.#memory.store, weights: { kind: 'files', files } };
      }
      // Half a model in a full store helps nobody; a model in memory answers at least until the tab closes.
      const why = `${error.message} The model is held in memory until this tab closes.`;
      this.#memory ??= this.platform.openMemory(why);
      return this.#fetch(entry, this.#memory, wanted, report, signal);
    }
  }

  async #fetch(
    entry: ModelEntry,
    { store, location }: OpenStore,
    wanted: Wanted,
    report: Report,
    signal: AbortSignal,
  ): Promise<Brought> {
    const { manifest, sources } = await this.#describe(entry, store, signal);
    const tensors = wanted.tensors(manifest);
    const got = { manifest, store, weights: location };
    if (await hasAll(store, tensors)) return { ...got, sources: sources ?? [] };
    const { name } = entry;
    const verb = this.#opened.has(entry.cid) ? `Keeping ${name} in this browser` : `Fetching ${name}`;
    const from = sources ?? (await this.#relaySources(entry, signal));
    await fetchModel({
      manifest,
      tensors,
      sources: from,
      store,
      whole: wanted.arrived && { downloads: this.#downloads, arrived: wanted.arrived },
      detail: { fetching: verb, waiting: `${verb} goes on after the first word from the network` },
      report,
      now: () => this.platform.now(),
      signal,
    });
    return { ...got, sources: from };
  }

  /** The manifest; with the sources where they are at hand without asking the relay. */
  async #describe(
    entry: ModelEntry,
    store: ModelStore,
    signal: AbortSignal,
  ): Promise<{ manifest: Manifest; sources: ByteSource[] | null }> {
    const opened = this.#opened.get(entry.cid);
    if (opened) return { manifest: opened.manifest, sources: opened.sources };
    const kept = (await store.manifests()).find(({ cid }) => cid === entry.cid)?.manifest;
    if (kept) return { manifest: kept, sources: null };
    return { manifest: await this.#manifests.get(await this.#listed(entry, signal), signal), sources: null };
  }

  async #relaySources(entry: ModelEntry, signal: AbortSignal): Promise<ByteSource[]> {
    const { files } = await this.#listed(entry, signal);
    return Promise.all(files.map((file) => this.platform.openUrl(new URL(file, this.relay), signal)));
  }

  async #listed(entry: ModelEntry, signal: AbortSignal): Promise<RelayModel> {
    const isIt = ({ cid }: RelayModel) => cid === entry.cid;
    const listed =
      this.#listing.find(isIt) ?? (await relayModels(this.platform, this.relay, signal)).find(isIt);
    if (listed) return listed;
    throw new ShoalError('no-model', `The relay no longer has ${entry.name}. Choose another model.`);
  }

  async #tokenizer(entry: ModelEntry, got: Brought, report: Report, signal: AbortSignal) {
    const { manifest, store } = got;
    report({ phase: 'checking', detail: 'Reading the tokenizer', done: 0, total: 0, bytesPerSecond: 0 });
    const ranges = manifest.tokenizer?.ranges ?? [];
    const sources =
      got.sources.length === 0 && !(await hasAll(store, ranges))
        ? await this.#relaySources(entry, signal)
        : got.sources;
    const tokenizer = await readTokenizer(manifest, { store, sources: [sources], signal });
    if (!tokenizer) throw new ShoalError('bad-model', `${entry.name} has no tokenizer. Choose a chat model.`);
    return tokenizer;
  }
}

async function hasAll(
  store: ModelStore,
  blobs: readonly { sha256: string; bytes: number }[],
): Promise<boolean> {
  return (await store.missing(blobs)).length === 0;
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
    ...NO_FIGURES,
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
