import type { ClientParts, Privacy } from '../../chain/index.ts';
import { ChatTemplate, Tokenizer } from '../../chat/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { Manifest, Slice } from '../../model/index.ts';
import { ShoalError } from '../errors.ts';
import { DEFAULT_MAX_TOKENS } from '../fit.ts';
import type { Library } from '../library.ts';
import type { Platform } from '../platform.ts';
import { abortable } from '../queue.ts';
import type { ModelEntry, ShoalOptions } from '../types.ts';
import { clientSlices } from './client-slices.ts';
import type { Progress } from './types.ts';
import { watchLost } from './watch-lost.ts';

/** What a client keeps of a model whose middle others run. */
export interface ClientModel {
  entry: ModelEntry;
  manifest: Manifest;
  tokenizer: Tokenizer;
  template: ChatTemplate;
  parts: ClientParts;
  /** Most tokens of one session. */
  maxTokens: number;
}

/** A client's use of a model; its engines live until the last one is done. */
export interface Lease {
  model: ClientModel;
  done(): void;
}

interface Kept {
  cid: string;
  privacy: Privacy;
  model: Promise<ClientModel>;
  control: AbortController;
  /** Callers that wait for it or use it. */
  users: number;
  ready: boolean;
  /** Another one took its place. */
  retired: boolean;
}

/** Fetches, loads and keeps the client's part of one model; another model's stays only while it is in use. */
export class ClientModels {
  #kept: Kept | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly library: Library,
    private readonly options: ShoalOptions,
    private readonly report: (progress: Progress | null) => void,
  ) {}

  /**
   * In private mode the embedding, the first layers and the head; in light mode only the tokenizer. What serves private
   * mode serves light mode as well.
   */
  async get(entry: ModelEntry, privacy: Privacy, signal: AbortSignal): Promise<Lease> {
    let kept = this.#kept;
    if (!kept || kept.cid !== entry.cid || (privacy === 'private' && kept.privacy === 'light')) {
      this.drop();
      kept = this.#start(entry, privacy);
      this.#kept = kept;
    }
    const held = kept;
    held.users++;
    let using = true;
    const done = () => {
      if (!using) return;
      using = false;
      held.users--;
      // Nobody waits for it any more.
      if (!held.ready && held.users === 0) this.#retire(held);
      else dispose(held);
    };
    try {
      return { model: await abortable(held.model, signal), done };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Lets go of what is kept, as soon as nobody uses it; the next `get` loads anew. */
  drop(): void {
    if (this.#kept) this.#retire(this.#kept);
  }

  #retire(kept: Kept): void {
    if (this.#kept === kept) this.#kept = null;
    kept.retired = true;
    if (!kept.ready) kept.control.abort();
    dispose(kept);
  }

  #start(entry: ModelEntry, privacy: Privacy): Kept {
    const control = new AbortController();
    const model = this.#load(entry, privacy, control.signal, () => this.#retire(kept)).finally(() =>
      this.report(null),
    );
    const kept: Kept = {
      cid: entry.cid,
      privacy,
      model,
      control,
      users: 0,
      ready: false,
      retired: false,
    };
    model.then(
      () => {
        kept.ready = true;
        dispose(kept);
      },
      () => this.#retire(kept),
    );
    return kept;
  }

  async #load(
    entry: ModelEntry,
    privacy: Privacy,
    signal: AbortSignal,
    lost: () => void,
  ): Promise<ClientModel> {
    let shown: Progress = { detail: `Fetching this tab’s part of ${entry.name}`, done: 0, total: 0 };
    const show = (change: Partial<Progress>) => {
      shown = { ...shown, ...change };
      this.report(shown);
    };
    show({});
    const brought = await this.library.bringSlices(
      entry,
      privacy === 'light' ? null : (manifest) => Object.values(slicesOf(manifest)),
      ({ done, total }) => show({ done: done ?? shown.done, total: total ?? shown.total }),
      signal,
    );
    const { manifest } = brought;
    const tokenizer = new Tokenizer(await brought.tokenizer());
    const template = new ChatTemplate(manifest.chatTemplate);
    const maxTokens = Math.min(this.options.maxTokens ?? DEFAULT_MAX_TOKENS, manifest.config.contextLength);
    const model = { entry, manifest, tokenizer, template, maxTokens };
    if (privacy === 'light') return { ...model, parts: { front: null, head: null } };
    show({ detail: 'Preparing this tab’s part of the model', done: 0, total: 0 });
    const load = (slice: Slice): Promise<Engine> =>
      this.platform.loadEngine({
        manifest,
        slice,
        weights: brought.weights,
        backends: this.options.backends,
        threads: this.options.threads,
        // Every part of a chain computes exactly, so that the text is that of one machine.
        arithmetic: 'exact',
        precision: 'float32',
        maxTokens,
        measure: false,
        signal,
      });
    const wanted = slicesOf(manifest);
    const front = await load(wanted.front);
    try {
      return {
        ...model,
        parts: { front: watchLost(front, lost), head: watchLost(await load(wanted.head), lost) },
      };
    } catch (error) {
      await front.dispose();
      throw error;
    }
  }
}

function slicesOf(manifest: Manifest): { front: Slice; head: Slice } {
  const slices = clientSlices(manifest);
  if (slices) return slices;
  throw new ShoalError(
    'not-available',
    `${manifest.name} has too few layers to be run by several. Use route "local".`,
  );
}

/** Gives the engines back when nobody uses them and nobody will. */
function dispose(kept: Kept): void {
  if (!kept.retired || !kept.ready || kept.users > 0) return;
  const free = async () => {
    const { front, head } = (await kept.model).parts;
    await Promise.all([front?.dispose(), head?.dispose()]);
  };
  // An engine whose worker is gone has nothing left to give back.
  free().catch(() => {});
}
