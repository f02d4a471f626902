import { ChatTemplate, Dialogue, Tokenizer } from '../chat/index.ts';
import type { EngineInfo, LoadProgress } from '../engine/index.ts';
import { aborted, ShoalError, toShoalError } from './errors.ts';
import { IDLE_STATUS } from './idle-state.ts';
import type { Library, LocalModel } from './library.ts';
import { Cell } from './observable.ts';
import type { CheckedParameters } from './parameters.ts';
import type { Platform } from './platform.ts';
import { abortable } from './queue.ts';
import { ResilientEngine } from './resilient.ts';
import type { LoadModelOptions, ModelEntry, Phase, ShoalOptions, Status } from './types.ts';

const LAST_MODEL = 'shoal.model';
/** Failures that are this device's, so that other devices may do what it cannot. */
const CANNOT_RUN: ReadonlySet<string> = new Set(['no-engine', 'no-space']);
const WEIGHTS_ARE_HERE: ReadonlySet<Phase> = new Set(['checking', 'compiling']);
/** Milliseconds between looks at a relay that has no model yet. */
const LIST_AGAIN_MS = 2000;

/** A model that can answer. */
export interface Running {
  entry: ModelEntry;
  engine: ResilientEngine;
  dialogue: Dialogue;
}

/** The one whole model that this tab runs, and its way from a name to an engine. */
export class Runner {
  readonly status = new Cell<Status>(IDLE_STATUS);
  #running: Running | null = null;
  #loading: { control: AbortController; done: Promise<void> } | null = null;
  #ready: Promise<void> = Promise.reject(
    new ShoalError('no-model', 'No model is loaded. Call load() first.'),
  );
  /** The answer that is being given; another model ends it. */
  #answering: AbortController | null = null;
  /** Why this device cannot run a model, so that the automatic route does not try again at each question. */
  #cannotRun: { model: string | null; error: ShoalError } | null = null;
  #disposed = false;

  constructor(
    private readonly platform: Platform,
    private readonly library: Library,
    private readonly options: ShoalOptions,
  ) {
    this.#ready.catch(() => {});
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  load(model: string | undefined, { onProgress, signal }: LoadModelOptions): Promise<void> {
    this.#cannotRun = null;
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

  /** Deletes the kept copy. A model that runs goes on: its weights are in the engine already. */
  async remove(model: string): Promise<void> {
    const entry = await this.library.find(model);
    if (this.#running?.entry.cid === entry.cid) {
      this.status.update({ model: { ...entry, cached: false, kept: 0 } });
    }
    await this.library.remove(entry.cid);
    await this.#showStorage();
  }

  /** @param control ends the answer when another model is loaded. @returns a function to call when it is over */
  answering(control: AbortController): () => void {
    this.#answering = control;
    return () => {
      if (this.#answering === control) this.#answering = null;
    };
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

  /** @throws ShoalError `disposed` */
  check(): void {
    if (this.#disposed) throw new ShoalError('disposed', 'This Shoal was disposed. Create another one.');
  }

  /**
   * The model that runs, after a load that is under way; another one is loaded when it was asked for.
   * @param elsewhere the network might answer instead
   * @returns then, the reason when this device cannot run the model
   */
  async forAnswer(
    { model }: CheckedParameters,
    elsewhere: boolean,
    signal: AbortSignal,
  ): Promise<Running | ShoalError> {
    const known = this.cannotRun(model);
    if (elsewhere && known) return known;
    try {
      if (this.#loading) await abortable(this.#loading.done, signal);
      if (model !== null && this.#running?.entry.id !== model && this.#running?.entry.cid !== model) {
        await abortable(this.load(model, {}), signal);
      } else if (!this.#running) await abortable(this.load(undefined, {}), signal);
    } catch (error) {
      const told = toShoalError(error);
      if (signal.aborted || !elsewhere || !this.#remember(model, told)) throw error;
      return told;
    }
    this.check();
    if (!this.#running) throw new ShoalError('no-model', 'No model is loaded. Call load() first.');
    return this.#running;
  }

  /**
   * Whether an answer here would have to wait until weights are fetched. Not when it only waits for the engine, which
   * takes no longer than joining others does, nor when this device cannot run the model.
   */
  async waitsForWeights(model: string | null, signal: AbortSignal): Promise<boolean> {
    if (this.#isReady(model) || this.cannotRun(model)) return false;
    const entry = await this.chooseForNetwork(model, signal);
    const { phase, model: loads } = this.status.get();
    const isHere = this.#loading && loads?.cid === entry.cid && WEIGHTS_ARE_HERE.has(phase);
    return !isHere && !entry.cached;
  }

  #isReady(model: string | null): boolean {
    if (this.#loading || !this.#running) return false;
    const { id, cid } = this.#running.entry;
    return model === null || model === id || model === cid;
  }

  /** Why this device cannot run the model, as far as it was tried. */
  cannotRun(model: string | null): ShoalError | null {
    const known = this.#cannotRun;
    return known && known.model === model && !this.#loading && !this.#running ? known.error : null;
  }

  /** Begins to load what an answer here would need, unless something is being loaded. How it goes is in the status. */
  begin(model: string | null): void {
    if (this.#loading) return;
    this.load(model ?? undefined, {}).catch((error: unknown) => this.#remember(model, toShoalError(error)));
  }

  #remember(model: string | null, error: ShoalError): boolean {
    if (!CANNOT_RUN.has(error.code)) return false;
    this.#cannotRun = { model, error };
    return true;
  }

  /** The model asked for, else the one used last, else the default. */
  async #choose(model: string | undefined, signal: AbortSignal): Promise<ModelEntry> {
    this.status.update({ phase: 'fetching', detail: 'Looking for models', done: 0, total: 0, error: null });
    const waits = () =>
      this.status.update({ detail: 'Waiting for the relay, which is still fetching its model' });
    return this.#findModel(model ?? null, signal, waits);
  }

  /** The model asked for, else the one that loads or runs, else as `load` chooses; nothing is loaded. */
  async chooseForNetwork(model: string | null, signal: AbortSignal): Promise<ModelEntry> {
    const own = (this.#loading ? this.status.get().model : null) ?? this.#running?.entry;
    if (own && (model === null || model === own.id || model === own.cid)) return own;
    return this.#findModel(model, signal, () => {});
  }

  async #findModel(model: string | null, signal: AbortSignal, waits: () => void): Promise<ModelEntry> {
    if (model !== null) return this.library.find(model, signal);
    let entries = await this.library.list(signal);
    while (entries.length === 0) {
      waits();
      await pause(LIST_AGAIN_MS, signal);
      entries = await this.library.list(signal);
    }
    const last = this.platform.keep.get(LAST_MODEL);
    return entries.find(({ cid }) => cid === last) ?? entries[0]!;
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
        this.check();
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

  async #swap(entry: ModelEntry, signal: AbortSignal): Promise<void> {
    const report = (change: Partial<Status>) => this.status.update(change);
    report({ model: entry, error: null, engine: null, notices: [] });
    let local = await this.library.bring(entry, report, signal);
    // Beside the start of the engine, which takes longer; without it the model runs as well.
    const described = this.library.described(entry).catch(() => entry);
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
      local = await this.library.bring(entry, report, signal);
      engine = await this.#startEngine(local, entry, signal);
    }
    const dialogue = new Dialogue(
      engine,
      new Tokenizer(local.tokenizer),
      new ChatTemplate(local.manifest.chatTemplate),
      { now: () => this.platform.now() },
    );
    this.#running = { entry, engine, dialogue };
    this.platform.keep.set(LAST_MODEL, entry.cid);
    const notice = await this.library.notice();
    report({
      phase: 'ready',
      model: { ...(await described), cached: notice === null, kept: notice === null ? entry.bytes : 0 },
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
    const onLost = (reason: string, info: EngineInfo | null) => {
      const notice = `The GPU was lost (${reason}). The conversation goes on with the next back end.`;
      const { notices } = this.status.get();
      if (info) this.status.update({ phase: 'ready', engine: info, detail: '', done: 0, total: 0 });
      else this.status.update({ phase: 'compiling', notices: [...notices, notice] });
    };
    return new ResilientEngine(await start(undefined, signal), start, onLost, () => this.platform.now());
  }

  async #showStorage(): Promise<void> {
    this.status.update({ storage: await this.library.storage() });
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
