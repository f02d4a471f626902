import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChainLimits } from '../../../src/chain/index.ts';
import {
  ChatTemplate,
  DEFAULT_SAMPLING,
  Dialogue,
  sampleAsSent,
  Tokenizer,
} from '../../../src/chat/index.ts';
import type { Engine, LoadOptions } from '../../../src/engine/index.ts';
import { loadSlice, nodePlatform } from '../../../src/engine/node.ts';
import { createHost, type Host, type HostLimits } from '../../../src/host/index.ts';
import { type Manifest, parseManifest, readTokenizer, type Slice } from '../../../src/model/index.ts';
import { PathSource } from '../../../src/model/node.ts';
import { tinyModel } from '../../../src/sdk/testing/tiny-model.ts';
import { type LayerRange, systemClock } from '../../../src/swarm/index.ts';
import { MemoryNetwork } from '../../../src/swarm/testing/memory.ts';
import { prepareModel } from '../../library.ts';
import type { ServedModel } from '../../shelf.ts';
import type { Log, Meters } from '../../watch/types.ts';
import { type AnswersLimits, createAnswers, type RelayAnswers } from '../answers.ts';
import type { RunLocally } from '../open-conversation.ts';
import type { AnswerEvent, Question } from '../types.ts';

export const LAYERS = 6;
/** The tiny model's whole context. */
export const CONTEXT = 256;
export const RELAY = 'relay';

/** A model on a disk, and everything that was started with it. */
export class Shelved {
  readonly ends: (() => Promise<void>)[] = [];
  #whole: Promise<Engine> | null = null;

  private constructor(
    readonly folder: string,
    readonly served: ServedModel,
    readonly manifest: Manifest,
    readonly tokenizer: Tokenizer,
  ) {}

  static async open(): Promise<Shelved> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-answers-'));
    const file = join(folder, 'tiny.gguf');
    await writeFile(file, tinyModel(LAYERS, 1.2));
    const served = await prepareModel(file, folder);
    const manifest = await parseManifest(served.manifest, served.cid);
    const spec = await readTokenizer(manifest, { sources: [[await PathSource.open(file)]] });
    return new Shelved(folder, served, manifest, new Tokenizer(spec!));
  }

  async load(slice: Slice, maxTokens = CONTEXT): Promise<Engine> {
    const files = this.served.files.map(({ path }) => path);
    return this.loadEngine({ manifest: this.manifest, slice, weights: { kind: 'files', files }, maxTokens });
  }

  /** In this thread: a worker for each of a dozen tiny engines would only take time. */
  readonly loadEngine = async (options: LoadOptions): Promise<Engine> => {
    const engine = await loadSlice(nodePlatform, { ...options, measure: false });
    this.ends.push(() => engine.dispose());
    return engine;
  };

  /** The whole model in one engine. */
  whole(): Promise<Engine> {
    this.#whole ??= this.load({ start: 0, end: LAYERS, embed: true, head: true });
    return this.#whole;
  }

  /** What the whole model says alone, by the same turn loop. */
  async alone(question: Question): Promise<string> {
    const dialogue = new Dialogue(
      await this.whole(),
      this.tokenizer,
      new ChatTemplate(this.manifest.chatTemplate),
    );
    const { prompt, sampling, maxTokens, stop } = question;
    const given = 'text' in prompt ? { tokens: this.tokenizer.encodeText(prompt.text) } : prompt.messages;
    let text = '';
    for await (const event of dialogue.run(given, { sampling, maxTokens, stop }))
      if (event.type !== 'prefill') text += event.text;
    await dialogue.close();
    return text;
  }

  async close(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
    await rm(this.folder, { recursive: true });
  }
}

export interface WorldOptions {
  /** Layers that the relay's own host lends; null for none. Default: all. */
  own?: LayerRange | null;
  models?: () => ServedModel[];
  limits?: Partial<AnswersLimits>;
  hostLimits?: Partial<HostLimits>;
  /** Bytes of the own host. */
  memory?: number;
  runLocally?: RunLocally;
  chainLimits?: Partial<ChainLimits>;
}

/** A relay with its own host and its answers, and tabs that share layers, on one network in this process. */
export class AnswersWorld {
  readonly network = new MemoryNetwork();
  readonly hosts = new Map<string, Host>();
  readonly metered: { name: string; labels: Record<string, string>; value: number }[] = [];
  readonly logged: string[] = [];
  answers!: RelayAnswers;

  private constructor(readonly shelf: Shelved) {}

  static async start(shelf: Shelved, options: WorldOptions = {}): Promise<AnswersWorld> {
    const world = new AnswersWorld(shelf);
    const { own = { start: 0, end: LAYERS }, limits, hostLimits, memory, chainLimits } = options;
    const host = await world.host(RELAY, own, { limits: hostLimits, memory });
    const transport = world.network.find(RELAY)!;
    world.answers = createAnswers({
      models: options.models ?? (() => [shelf.served]),
      swarm: { transport, directory: world.network.directory(RELAY), clock: systemClock },
      host,
      agent: 'test/1',
      loadEngine: shelf.loadEngine,
      meters: world.#meters,
      log: world.#log,
      limits: { chains: 64, idleMs: 600_000, memory: 1e8, maxTokens: null, ...limits },
      ...(options.runLocally && { runLocally: options.runLocally }),
      ...(chainLimits && { chainLimits }),
    });
    shelf.ends.push(() => world.answers.close());
    return world;
  }

  /** A peer that lends a range; null for nothing yet. */
  async host(
    peer: string,
    range: LayerRange | null,
    { limits, memory }: { limits?: Partial<HostLimits>; memory?: number } = {},
  ): Promise<Host> {
    const host = createHost({
      transport: this.network.join(peer),
      directory: this.network.directory(peer),
      clock: systemClock,
      agent: 'test/1',
      sample: sampleAsSent,
      ...(limits && { limits }),
    });
    this.shelf.ends.push(() => host.close('the test is over'));
    this.hosts.set(peer, host);
    if (range) await this.lend(host, range, { memory });
    return host;
  }

  async lend(
    host: Host,
    { start, end }: LayerRange,
    { memory = 1e8, ownUse = false }: { memory?: number; ownUse?: boolean } = {},
  ): Promise<void> {
    await host.lend({
      cid: this.shelf.served.cid,
      layers: LAYERS,
      start,
      end,
      main: { start: start < 2 && end > 2 ? 2 : start, end, embed: false, head: false },
      memoryBudget: memory,
      ownUse,
      load: (part) => this.shelf.load(part),
    });
  }

  /** Three tabs that share all layers behind the first two. */
  async tabs(): Promise<void> {
    await this.host('tab1', { start: 2, end: 3 });
    await this.host('tab2', { start: 3, end: 5 });
    await this.host('tab3', { start: 5, end: 6 });
  }

  counters(peer = RELAY) {
    return this.hosts.get(peer)!.status().counters;
  }

  /** Sum of a counter, or number of observations of a histogram. */
  metric(name: string, labels: Record<string, string> = {}): number {
    const fits = (own: Record<string, string>) =>
      Object.entries(labels).every(([key, value]) => own[key] === value);
    return this.metered
      .filter((one) => one.name === name && fits(one.labels))
      .reduce((sum, { value }) => sum + value, 0);
  }

  readonly #meters: Meters = {
    count: (name, labels, by = 1) => this.metered.push({ name, labels, value: by }),
    observe: (name, labels) => this.metered.push({ name, labels, value: 1 }),
  };

  readonly #log: Log = {
    debug: (message, fields) => this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    info: (message, fields) => this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    warn: (message, fields) => this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    error: (message, fields) => this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    with: () => this.#log,
  };
}

export const GREEDY = { ...DEFAULT_SAMPLING, temperature: 0 };

/** A greedy question of 24 tokens. */
export function question(content: string, more: Partial<Question> = {}): Question {
  return {
    model: 'tiny',
    prompt: { messages: [{ role: 'user', content }] },
    sampling: GREEDY,
    maxTokens: 24,
    stop: [],
    logprobs: null,
    route: 'auto',
    client: 'one',
    ...more,
  };
}

export interface Read {
  events: AnswerEvent[];
  text: string;
  routes: Extract<AnswerEvent, { type: 'route' }>[];
  tokens: Extract<AnswerEvent, { type: 'token' }>[];
  done: Extract<AnswerEvent, { type: 'done' }>;
}

/** Reads an answer to its end. */
export async function read(
  { answers }: AnswersWorld,
  asked: Question,
  {
    signal = new AbortController().signal,
    after,
  }: { signal?: AbortSignal; after?: (tokens: number) => void } = {},
): Promise<Read> {
  const events: AnswerEvent[] = [];
  let tokens = 0;
  for await (const event of answers.ask(asked, signal)) {
    events.push(event);
    if (event.type === 'token') after?.(++tokens);
  }
  const of = <T extends AnswerEvent['type']>(type: T) =>
    events.filter((event): event is Extract<AnswerEvent, { type: T }> => event.type === type);
  const ends = of('done');
  const [done] = ends;
  if (!done || ends.length > 1 || events.at(-1) !== done)
    throw new Error('an answer ends with exactly one done');
  const said = of('token');
  const text = said.map((event) => event.text).join('') + done.text;
  return { events, text, routes: of('route'), tokens: said, done };
}

/** The error that an answer ends with. */
export async function failure(world: AnswersWorld, asked: Question, signal?: AbortSignal): Promise<unknown> {
  return read(world, asked, { signal }).then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}
