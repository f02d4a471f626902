import { ChatTemplate, Dialogue, Tokenizer } from '../chat/index.ts';
import type { LoadProgress } from '../engine/index.ts';
import { chunksOf, collect } from './answer.ts';
import { aborted, ShoalError, toShoalError } from './errors.ts';
import { blobSources, Library, type LocalModel } from './library.ts';
import { Cell } from './observable.ts';
import { type CheckedParameters, checkParameters } from './parameters.ts';
import type { Platform } from './platform.ts';
import { abortable, Queue } from './queue.ts';
import { randomId, randomSeed } from './random.ts';
import { ResilientEngine } from './resilient.ts';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  Completions,
  LoadModelOptions,
  ModelEntry,
  Shoal,
  ShoalOptions,
  Status,
} from './types.ts';

const LAST_MODEL = 'shoal.model';
/** Milliseconds between looks at a relay that has no model yet. */
const LIST_AGAIN_MS = 2000;

/** A model that can answer. */
interface Running {
  entry: ModelEntry;
  engine: ResilientEngine;
  dialogue: Dialogue;
}

/**
 * Opens Shoal over a platform. It begins to load a model at once unless `options.model` is false.
 * In a page take `createShoal` of web.ts, which brings the browser's platform.
 */
export function openShoal(platform: Platform, relay: URL, options: ShoalOptions = {}): Shoal {
  const shoal = new LocalShoal(platform, relay, options);
  if (options.model !== false) {
    shoal.load(options.model).catch(() => {});
  }
  return shoal;
}

class LocalShoal implements Shoal {
  readonly status = new Cell<Status>({
    phase: 'idle',
    model: null,
    detail: '',
    done: 0,
    total: 0,
    bytesPerSecond: 0,
    error: null,
    engine: null,
    storage: null,
    notices: [],
  });
  readonly chat: { readonly completions: Completions };
  readonly #library: Library;
  readonly #answers = new Queue();
  #running: Running | null = null;
  #loading: { control: AbortController; done: Promise<void> } | null = null;
  #ready: Promise<void> = Promise.reject(
    new ShoalError('no-model', 'No model is loaded. Call load() first.'),
  );
  #answering: AbortController | null = null;
  #disposed = false;

  constructor(
    private readonly platform: Platform,
    relay: URL,
    private readonly options: ShoalOptions,
  ) {
    this.#library = new Library(platform, relay);
    this.#ready.catch(() => {});
    this.chat = { completions: { create: this.#create.bind(this) as Completions['create'] } };
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  models(): Promise<ModelEntry[]> {
    return this.#library.list().catch(rethrow);
  }

  load(model?: string, { onProgress, signal }: LoadModelOptions = {}): Promise<void> {
    const done = this.#start(async (stop) => {
      const entry = await this.#choose(model, stop);
      await this.#swap(entry, stop);
    }, signal);
    const off = onProgress ? this.status.subscribe(onProgress) : () => {};
    this.#ready = done.finally(off);
    this.#ready.catch(() => {});
    return this.#ready;
  }

  cancel(): void {
    this.#loading?.control.abort();
  }

  async addModel(
    given: File | URL | readonly File[],
    { onProgress, signal }: LoadModelOptions = {},
  ): Promise<ModelEntry> {
    // The status is not touched: a file that is refused takes nothing away from the model that runs or loads.
    let shown: Status = { ...this.status.get(), error: null };
    const report = (change: Partial<Status>) => {
      shown = { ...shown, ...change };
      onProgress?.(shown);
    };
    try {
      this.#check();
      const files = given instanceof URL ? [] : given instanceof File ? [given] : [...given];
      const sources =
        given instanceof URL ? [await this.platform.openUrl(given, signal)] : blobSources(files);
      return await this.#library.add(sources, files, report, signal);
    } catch (error) {
      throw signal?.aborted ? aborted(error) : toShoalError(error);
    }
  }

  async remove(model: string): Promise<void> {
    try {
      const entry = await this.#library.find(model);
      if (this.#running?.entry.cid === entry.cid) {
        // Its weights are in the engine already, so the conversation may go on; only the kept copy goes.
        this.status.update({ model: { ...entry, cached: false, kept: 0 } });
      }
      await this.#library.remove(entry.cid);
      await this.#showStorage();
    } catch (error) {
      throw toShoalError(error);
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#loading?.control.abort();
    this.#answering?.abort();
    await this.#loading?.done.catch(() => {});
    await this.#running?.engine.dispose();
    this.#running = null;
    this.status.update({ phase: 'idle', engine: null, detail: 'Shoal was disposed.' });
  }

  #check(): void {
    if (this.#disposed) throw new ShoalError('disposed', 'This Shoal was disposed. Create another one.');
  }

  /** Runs one load at a time: a newer one replaces the one under way. */
  #start(work: (signal: AbortSignal) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const before = this.#loading;
    before?.control.abort();
    const control = new AbortController();
    const stop = signal ? AbortSignal.any([control.signal, signal]) : control.signal;
    const done = (async () => {
      await before?.done.catch(() => {});
      try {
        this.#check();
        stop.throwIfAborted();
        await work(stop);
      } catch (error) {
        const told = stop.aborted ? aborted(error) : toShoalError(error);
        // What had arrived is kept and shown; a store that cannot be read has said so already.
        await this.#showStorage().catch(() => {});
        this.#showFailure(told);
        throw told;
      } finally {
        if (this.#loading?.control === control) this.#loading = null;
      }
    })();
    this.#loading = { control, done };
    return done;
  }

  #showFailure(error: ShoalError): void {
    const quiet = { done: 0, total: 0, bytesPerSecond: 0 };
    const running = this.#running;
    const told = error.code === 'aborted' ? null : error;
    if (running) {
      // The former model was not let go yet and still answers.
      const { entry, engine } = running;
      this.status.update({
        ...quiet,
        phase: 'ready',
        model: entry,
        engine: engine.info,
        error: told,
        detail: '',
      });
    } else if (told) {
      this.status.update({ bytesPerSecond: 0, phase: 'failed', error: told });
    } else {
      const detail = 'Loading was cancelled. What was fetched is kept.';
      this.status.update({ ...quiet, phase: 'idle', error: null, detail });
    }
  }

  /** The model asked for, else the one used last, else the default. */
  async #choose(model: string | undefined, signal: AbortSignal): Promise<ModelEntry> {
    this.status.update({ phase: 'fetching', detail: 'Looking for models', done: 0, total: 0, error: null });
    if (model !== undefined) return this.#library.find(model, signal);
    let entries = await this.#library.list(signal);
    while (entries.length === 0) {
      this.status.update({ detail: 'Waiting for the relay, which is still fetching its model' });
      await pause(LIST_AGAIN_MS, signal);
      entries = await this.#library.list(signal);
    }
    const last = this.platform.keep.get(LAST_MODEL);
    return entries.find(({ cid }) => cid === last) ?? entries[0]!;
  }

  async #swap(entry: ModelEntry, signal: AbortSignal): Promise<void> {
    const report = (change: Partial<Status>) => this.status.update(change);
    report({ model: entry, error: null, engine: null, notices: [] });
    let local = await this.#library.bring(entry, report, signal);
    await this.#showStorage();
    // The old model goes first, with the answer it may be giving: two of them may not fit.
    this.#answering?.abort();
    const old = this.#running;
    this.#running = null;
    await old?.engine.dispose();
    let engine: ResilientEngine;
    try {
      engine = await this.#startEngine(local, entry, signal);
    } catch (error) {
      // A blob that went bad on disk was deleted by the store when it was read: only that one is fetched again.
      if (!hasCode(error, 'wrong-hash')) throw error;
      local = await this.#library.bring(entry, report, signal);
      engine = await this.#startEngine(local, entry, signal);
    }
    const dialogue = new Dialogue(
      engine,
      new Tokenizer(local.tokenizer),
      new ChatTemplate(local.manifest.chatTemplate),
    );
    this.#running = { entry, engine, dialogue };
    this.platform.keep.set(LAST_MODEL, entry.cid);
    const notice = await this.#library.notice();
    report({
      phase: 'ready',
      model: { ...entry, cached: notice === null, kept: notice === null ? entry.bytes : 0 },
      detail: '',
      done: 0,
      total: 0,
      bytesPerSecond: 0,
      engine: engine.info,
      notices: notice ? [...this.status.get().notices, notice] : this.status.get().notices,
    });
  }

  async #startEngine(local: LocalModel, entry: ModelEntry, signal: AbortSignal): Promise<ResilientEngine> {
    const { backends, arithmetic, precision, threads, maxTokens } = this.options;
    const onProgress = (progress: LoadProgress) => this.status.update(engineProgress(progress));
    const start = (tried: typeof backends, stop?: AbortSignal) =>
      this.platform.loadEngine({
        manifest: local.manifest,
        slice: { start: 0, end: entry.layers, embed: true, head: true },
        weights: local.weights,
        backends: tried ?? backends,
        arithmetic,
        precision,
        threads,
        maxTokens,
        onProgress,
        signal: stop,
      });
    return new ResilientEngine(await start(undefined, signal), start, (reason, info) => {
      const notice = `The GPU was lost (${reason}). The conversation goes on with the next back end.`;
      const { notices } = this.status.get();
      if (info) this.status.update({ phase: 'ready', engine: info, detail: '', done: 0, total: 0 });
      else this.status.update({ phase: 'compiling', notices: [...notices, notice] });
    });
  }

  async #showStorage(): Promise<void> {
    this.status.update({ storage: await this.#library.storage() });
  }

  async #create(given: unknown): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> {
    const parameters = checkParameters(given, randomSeed);
    this.#check();
    const chunks = this.#stream(parameters);
    return parameters.stream ? chunks : collect(chunks);
  }

  /** Begins at the first read, so that a stream which nobody reads does not hold up the others. */
  async *#stream(parameters: CheckedParameters): AsyncGenerator<ChatCompletionChunk> {
    const leave = await this.#answers.enter(parameters.signal);
    const control = new AbortController();
    const signal = parameters.signal ? AbortSignal.any([control.signal, parameters.signal]) : control.signal;
    try {
      const { entry, engine, dialogue } = await this.#modelFor(parameters.model, signal);
      this.#answering = control;
      const before = engine.recoveries;
      yield* chunksOf(
        { id: `chatcmpl-${randomId()}`, created: Math.floor(Date.now() / 1000), model: entry.id },
        dialogue.run(parameters.messages, {
          sampling: parameters.sampling,
          maxTokens: parameters.maxTokens,
          stop: parameters.stop,
          signal,
        }),
        { now: () => this.platform.now(), recoveries: () => engine.recoveries - before },
      );
      if (signal.aborted) throw aborted(signal.reason);
    } catch (error) {
      throw signal.aborted ? aborted(error) : toShoalError(error);
    } finally {
      control.abort();
      this.#answering = null;
      leave();
    }
  }

  /** The model that runs, after a load that is under way; another one is loaded when it was asked for. */
  async #modelFor(model: string | null, signal: AbortSignal): Promise<Running> {
    if (this.#loading) await abortable(this.#loading.done, signal);
    if (model !== null && this.#running?.entry.id !== model && this.#running?.entry.cid !== model) {
      await abortable(this.load(model), signal);
    } else if (!this.#running) await abortable(this.load(), signal);
    this.#check();
    if (!this.#running) throw new ShoalError('no-model', 'No model is loaded. Call load() first.');
    return this.#running;
  }
}

function engineProgress({ stage, done, total }: LoadProgress): Partial<Status> {
  switch (stage) {
    case 'reading':
      return { phase: 'checking', detail: 'Reading and checking the weights', done, total };
    case 'compiling':
      return { phase: 'compiling', detail: 'Preparing the model', done: 0, total: 0 };
    case 'testing':
      return { phase: 'compiling', detail: 'Checking that this device computes right', done: 0, total: 0 };
    case 'measuring':
      return { phase: 'compiling', detail: 'Measuring the speed', done: 0, total: 0 };
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

function rethrow(error: unknown): never {
  throw toShoalError(error);
}
