import { chunksOf, collect } from './answer.ts';
import { aborted, ShoalError, toShoalError } from './errors.ts';
import { blobSources, Library } from './library.ts';
import { Network } from './network/index.ts';
import type { NetworkSnapshot, ShareLimits, ShareOptions, Sharing, UnshareOptions } from './network/types.ts';
import { type CheckedParameters, checkParameters } from './parameters.ts';
import type { Platform } from './platform.ts';
import { Queue } from './queue.ts';
import { randomId, randomSeed } from './random.ts';
import { relaysOf } from './relays.ts';
import { Runner, type Running } from './runner.ts';
import { Trace } from './trace.ts';
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

/** Why an answer did not wait for this tab's own model. */
const MEANWHILE = 'This tab was still fetching its own copy of the model.';

/**
 * Opens Shoal over a platform. It begins to load a model at once unless `options.model` is false.
 * In a page take `createShoal` of web.ts, which brings the browser's platform.
 * @param base the page's address: its relay is the default one
 * @throws ShoalError `bad-request` for a relay that is no address
 */
export function openShoal(platform: Platform, base: URL, options: ShoalOptions = {}): Shoal {
  const shoal = new TabShoal(platform, base, options);
  if (options.model !== false) {
    shoal.load(options.model).catch(() => {});
  }
  return shoal;
}

/** The door itself: what is asked goes to the runner of this tab or to the network. */
class TabShoal implements Shoal {
  readonly chat: { readonly completions: Completions };
  readonly #library: Library;
  readonly #runner: Runner;
  readonly #network: Network;
  readonly #answers = new Queue();

  constructor(
    private readonly platform: Platform,
    base: URL,
    options: ShoalOptions,
  ) {
    const relays = relaysOf(platform, options.relay, base);
    this.#library = new Library(platform, relays.models, options);
    this.#runner = new Runner(platform, this.#library, options);
    const choose = (model: string | null, signal: AbortSignal) =>
      this.#runner.chooseForNetwork(model, signal);
    this.#network = new Network(platform, this.#library, choose, relays.join, options);
    this.chat = { completions: { create: this.#create.bind(this) as Completions['create'] } };
  }

  get status() {
    return this.#runner.status;
  }

  get ready(): Promise<void> {
    return this.#runner.ready;
  }

  get membership() {
    return this.#network.membership;
  }

  get networkStatus() {
    return this.#network.watch;
  }

  get networkMap() {
    return this.#network.map;
  }

  load(model?: string, options: LoadModelOptions = {}): Promise<void> {
    return this.#runner.load(model, options);
  }

  cancel(): void {
    this.#runner.cancel();
  }

  async join({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#runner.check();
    await this.#network.join(signal);
  }

  async share(options: ShareOptions = {}): Promise<Sharing> {
    this.#runner.check();
    return this.#network.share(options);
  }

  async unshare(options: UnshareOptions = {}): Promise<void> {
    await this.#network.unshare(options);
  }

  async pauseSharing(): Promise<void> {
    await this.#network.pauseSharing();
  }

  async resumeSharing(): Promise<void> {
    await this.#network.resumeSharing();
  }

  limitSharing(limits: ShareLimits): void {
    this.#network.limitSharing(limits);
  }

  async network({ signal }: { signal?: AbortSignal } = {}): Promise<NetworkSnapshot> {
    try {
      this.#runner.check();
      return await this.#network.look(signal);
    } catch (error) {
      throw signal?.aborted ? aborted(error) : toShoalError(error);
    }
  }

  models(): Promise<ModelEntry[]> {
    return this.#library.listWithFigures().catch(rethrow);
  }

  async addModel(
    given: File | URL | readonly File[],
    { onProgress, signal }: LoadModelOptions = {},
  ): Promise<ModelEntry> {
    // The status is not touched: a file that is refused takes nothing away from the model that runs or loads.
    let shown: Status = { ...this.#runner.status.get(), error: null };
    const report = (change: Partial<Status>) => {
      shown = { ...shown, ...change };
      onProgress?.(shown);
    };
    try {
      this.#runner.check();
      const files = given instanceof URL ? [] : given instanceof File ? [given] : [...given];
      const sources =
        given instanceof URL ? [await this.platform.openUrl(given, signal)] : blobSources(files);
      return await this.#library.add(sources, files, report, signal);
    } catch (error) {
      throw signal?.aborted ? aborted(error) : toShoalError(error);
    }
  }

  async remove(model: string): Promise<void> {
    await this.#runner.remove(model).catch(rethrow);
  }

  async dispose(): Promise<void> {
    // The goodbye first: others wait for it.
    await this.#network.dispose('closed');
    await this.#runner.dispose();
  }

  async #create(given: unknown): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> {
    const parameters = checkParameters(given, randomSeed);
    this.#runner.check();
    const chunks = this.#stream(parameters);
    return parameters.stream ? chunks : collect(chunks);
  }

  /** Begins at the first read, so that a stream which nobody reads does not hold up the others. */
  async *#stream(parameters: CheckedParameters): AsyncGenerator<ChatCompletionChunk> {
    const { route, whileLoading } = parameters;
    if (route === 'network') return yield* this.#network.answer(parameters, null);
    const elsewhere = route === 'auto' && this.#network.enabled;
    if (elsewhere && whileLoading === 'network' && (yield* this.#answerMeanwhile(parameters))) return;
    const leave = await this.#answers.enter(parameters.signal);
    const trace = new Trace(() => this.platform.now());
    let cannot: ShoalError | null = null;
    const control = new AbortController();
    const signal = parameters.signal ? AbortSignal.any([control.signal, parameters.signal]) : control.signal;
    try {
      const running = await this.#runner.forAnswer(parameters, elsewhere, signal);
      if (running instanceof ShoalError) cannot = running;
      else yield* this.#answerHere(running, parameters, trace, control, signal);
    } catch (error) {
      throw signal.aborted ? aborted(error) : toShoalError(error);
    } finally {
      control.abort();
      leave();
    }
    if (cannot) yield* this.#answerElsewhere(parameters, cannot);
  }

  async *#answerHere(
    { entry, engine, dialogue }: Running,
    { messages, sampling, maxTokens, stop, privacy, continueFinal }: CheckedParameters,
    trace: Trace,
    control: AbortController,
    signal: AbortSignal,
  ): AsyncGenerator<ChatCompletionChunk> {
    const over = this.#runner.answering(control);
    const before = engine.recoveries;
    engine.onLoss = (loss) => {
      if (loss.type === 'recovered') trace.recovered({ ms: loss.ms, replayed: loss.replayed, peers: [] });
      else trace.lost({ peer: null, start: 0, end: entry.layers, reason: loss.reason });
    };
    try {
      yield* chunksOf(
        { id: `chatcmpl-${randomId()}`, created: Math.floor(Date.now() / 1000), model: entry.id },
        dialogue.run(messages, {
          sampling,
          maxTokens,
          stop,
          signal,
          continueFinal,
          onOpened: () => trace.opened(),
          onStep: (step) => trace.step(step),
        }),
        {
          now: () => this.platform.now(),
          route: 'local',
          reason: null,
          privacy,
          work: null,
          recoveries: () => engine.recoveries - before,
          trace,
        },
      );
    } finally {
      engine.onLoss = () => {};
      over();
    }
    if (signal.aborted) throw aborted(signal.reason);
  }

  /**
   * The automatic route, while this tab's own weights are on their way: others may answer before. The download stands
   * back until the first token, and goes on by itself.
   * @returns false when there is nothing to wait for here, or when they cannot and nothing was said yet
   */
  async *#answerMeanwhile(parameters: CheckedParameters): AsyncGenerator<ChatCompletionChunk, boolean> {
    const { model, privacy, signal = new AbortController().signal } = parameters;
    let answered = false;
    let goOn = () => {};
    try {
      if (!(await this.#runner.waitsForWeights(model, signal))) return false;
      goOn = this.#library.standBack(privacy);
      this.#runner.begin(model);
      for await (const chunk of this.#network.answer(parameters, MEANWHILE)) {
        answered = true;
        if (chunk.shoal.token_ids.length > 0) goOn();
        yield chunk;
      }
      return true;
    } catch (error) {
      if (signal.aborted) throw aborted(error);
      const told = toShoalError(error);
      if (answered || told.code === 'aborted') throw told;
      return false;
    } finally {
      goOn();
    }
  }

  /** The automatic route, when this tab cannot run the model: others may. */
  async *#answerElsewhere(
    parameters: CheckedParameters,
    cannot: ShoalError,
  ): AsyncGenerator<ChatCompletionChunk> {
    let answered = false;
    try {
      const reason = `This tab cannot run the model: ${cannot.message}`;
      for await (const chunk of this.#network.answer(parameters, reason)) {
        answered = true;
        yield chunk;
      }
    } catch (error) {
      const told = toShoalError(error);
      if (answered || told.code === 'aborted') throw told;
      // Both reasons count: mending either of them helps.
      throw new ShoalError(
        cannot.code,
        `${cannot.message} The network cannot answer either: ${told.message}`,
        {
          cause: error,
          next: cannot.next,
        },
      );
    }
  }
}

function rethrow(error: unknown): never {
  throw toShoalError(error);
}
