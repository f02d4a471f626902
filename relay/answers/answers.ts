import { ChainError } from '../../src/chain/index.ts';
import { capacityFor } from '../../src/chat/index.ts';
import type { Engine, LoadOptions } from '../../src/engine/index.ts';
import type { Host } from '../../src/host/index.ts';
import type { ServedModel } from '../shelf.ts';
import type { Conversation, RouteTaken } from './conversation.ts';
import { abortable, aborted, stopping, toAnswerError } from './errors.ts';
import { KeptConversations } from './kept-conversations.ts';
import { ModelEnds } from './model-ends.ts';
import { type OpenerOptions, openConversation, type Wanted } from './open-conversation.ts';
import { type PreparedModel, PreparedModels } from './prepared-models.ts';
import { ModelPeers } from './sharers.ts';
import { type AnswerableModel, AnswerError, type AnswerEvent, type Answers, type Question } from './types.ts';

/** Tokens that an answer of unknown length must have room for, where a host cannot hold a whole context. */
const LEAST_ANSWER = 256;
/** Milliseconds that are waited for the room of a conversation that was closed for a new one. */
const FREED_MS = 1_000;
/** OpenAI's limit on alternatives. */
const MOST_LOGPROBS = 20;
/** Models named in an error. */
const MOST_NAMES = 20;

export interface AnswersLimits {
  /** Conversations open at once, running or kept for their next question. */
  chains: number;
  /** Milliseconds after which a kept conversation is closed. */
  idleMs: number;
  /** Bytes for the first layers and the heads that the network route runs here. */
  memory: number;
  /** Tokens of one conversation; null for what the model holds, at most 4096. */
  maxTokens: number | null;
}

export interface AnswersOptions extends Omit<OpenerOptions, 'ends'> {
  models: () => readonly ServedModel[];
  /** This relay's own, which lends slices; it may have none. */
  host: Host;
  loadEngine: (options: LoadOptions) => Promise<Engine>;
  limits: AnswersLimits;
}

/** What an answer is made from. */
interface Asked {
  question: Question;
  model: PreparedModel;
  peers: ModelPeers;
  tokens: readonly number[];
  started: number;
}

/** Answers questions over slices; see `types.ts`. Nothing is loaded before the first question. */
export function createAnswers(options: AnswersOptions): RelayAnswers {
  return new RelayAnswers(options);
}

export class RelayAnswers implements Answers {
  readonly #prepared: PreparedModels;
  readonly #ends: ModelEnds;
  readonly #kept: KeptConversations;
  /** By cid. */
  readonly #peers = new Map<string, ModelPeers>();
  /** Seconds since 1970 at which a model was seen first. */
  readonly #created = new Map<string, number>();
  readonly #life = new AbortController();
  #running = 0;

  constructor(private readonly options: AnswersOptions) {
    const { limits, loadEngine, swarm } = options;
    this.#prepared = new PreparedModels(limits.maxTokens);
    this.#ends = new ModelEnds({ loadEngine, memory: limits.memory });
    this.#kept = new KeptConversations({ most: limits.chains, idleMs: limits.idleMs, clock: swarm.clock });
    this.#served();
  }

  models(): AnswerableModel[] {
    return this.#served().map((model) => ({
      id: model.id,
      cid: model.cid,
      created: this.#created.get(model.cid)!,
      maxTokens: this.#prepared.maxTokensOf(model),
    }));
  }

  status(): { running: number; openChains: number } {
    return { running: this.#running, openChains: this.#kept.size };
  }

  /** Runs of the engines of the network route that served several conversations; null before they are loaded. */
  sharedRuns(cid: string): Promise<{ front: number; head: number } | null> {
    return this.#ends.sharedRuns(cid);
  }

  async *ask(question: Question, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void> {
    const started = this.options.swarm.clock.now();
    const stop = AbortSignal.any([signal, this.#life.signal]);
    this.#running++;
    try {
      if (this.#life.signal.aborted) throw stopping();
      if (signal.aborted) throw aborted();
      check(question);
      const asked = await this.#prepare(question, started, stop);
      yield* this.#answer(asked, stop);
    } catch (error) {
      const told = this.#life.signal.aborted ? stopping() : signal.aborted ? aborted() : toAnswerError(error);
      this.options.meters.count('shoal_errors_total', { room: 'answers', code: told.code });
      throw told;
    } finally {
      this.#running--;
    }
  }

  async close(): Promise<void> {
    this.#life.abort();
    await this.#kept.closeAll();
    await this.#ends.close();
    for (const peers of this.#peers.values()) peers.dispose();
    this.#peers.clear();
  }

  async #prepare(question: Question, started: number, signal: AbortSignal): Promise<Asked> {
    const served = this.#find(question.model);
    const model = await this.#prepared.get(served, signal);
    const { tokenizer, template } = model;
    const { prompt } = question;
    const tokens =
      'text' in prompt ? tokenizer.encodeText(prompt.text) : template.encode(prompt.messages, tokenizer);
    if (tokens.length === 0) throw new AnswerError('bad-question', 'The prompt is empty. Write something.');
    if (tokens.length >= model.maxTokens)
      throw new AnswerError(
        'context-full',
        `The prompt is ${tokens.length} tokens long and a conversation holds ${model.maxTokens} here, its answer ` +
          'included. Shorten it.',
      );
    return { question, model, peers: this.#peersOf(model), tokens, started };
  }

  async *#answer(asked: Asked, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void> {
    const { route } = asked.question;
    const first = route === 'auto' ? await this.#choose(asked, signal) : route;
    let told = false;
    try {
      for await (const event of this.#over(first, asked, signal)) {
        told ||= event.type === 'token' || event.type === 'done';
        yield event;
      }
    } catch (error) {
      const { code } = toAnswerError(error);
      const networkFailed = code === 'no-peers' || code === 'busy' || code === 'failed';
      const ownCan = route === 'auto' && first === 'network' && this.#hasWhole(asked.model);
      if (told || signal.aborted || !networkFailed || !ownCan) throw error;
      this.options.log.info('The network could not answer; the own slices do.', { code });
      yield* this.#over('own', asked, signal);
    }
  }

  /** The network where somebody shares, else the own slices if they are the whole model. */
  async #choose({ model, peers }: Asked, signal: AbortSignal): Promise<RouteTaken> {
    if (!this.#hasWhole(model)) return 'network';
    return (await abortable(peers.sharers.any(signal), signal)) ? 'network' : 'own';
  }

  #hasWhole({ served, manifest }: PreparedModel): boolean {
    const { layers } = manifest.config;
    const { slices } = this.options.host.status();
    return slices.some(
      ({ cid, start, end, offer }) =>
        cid === served.cid && start === 0 && end === layers && offer.head && !offer.draining,
    );
  }

  async *#over(
    route: RouteTaken,
    asked: Asked,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent, void, void> {
    const { question, model, tokens, started } = asked;
    const { clock } = this.options.swarm;
    const looked = clock.now();
    const conversation = await this.#conversation(route, asked, signal);
    let said = '';
    let reusable = false;
    try {
      const stop = 'text' in question.prompt ? question.stop : [...model.template.stop, ...question.stop];
      const { sampling, maxTokens, logprobs } = question;
      const turn = { tokens, sampling, maxTokens, stop, logprobs, started, findMs: clock.now() - looked };
      const events = conversation.answer(turn, signal);
      // Also when the reader leaves: the caches stay in step with the dialogue.
      reusable = true;
      for await (const event of events) {
        if (event.type === 'token' || event.type === 'done') said += event.text;
        yield event;
      }
    } catch (error) {
      reusable = signal.aborted;
      throw error;
    } finally {
      if (reusable && !this.#life.signal.aborted) this.#kept.keep(conversation, question, said);
      else await this.#kept.close(conversation);
      // The model may be gone from the shelf meanwhile.
      this.#served();
    }
  }

  /** A kept conversation that goes on, or a new one. */
  async #conversation(route: RouteTaken, asked: Asked, signal: AbortSignal): Promise<Conversation> {
    const { question, model, peers, tokens } = asked;
    const { maxTokens: most, served } = model;
    const least = Math.min(most, tokens.length + (question.maxTokens ?? LEAST_ANSWER));
    const kept = this.#kept.take(question, served.cid, route, least);
    if (kept) return kept;
    const place = this.#kept.reserve();
    try {
      const capacity = capacityFor(tokens.length, question.maxTokens, most);
      const wanted = { model, peers, route, client: question.client, capacity };
      const conversation = await this.#open(
        wanted,
        question.maxTokens === undefined ? least : capacity,
        signal,
      );
      place.fill(conversation);
      return conversation;
    } catch (error) {
      place.free();
      throw error;
    }
  }

  /**
   * Where there is no room, conversations that are only kept give way, the oldest first; then a session that holds less
   * than the whole context will do, when nobody said how long the answer is to be.
   */
  async #open(wanted: Wanted, least: number, signal: AbortSignal): Promise<Conversation> {
    for (let { capacity } = wanted; ; ) {
      try {
        return await openConversation({ ...this.options, ends: this.#ends }, { ...wanted, capacity }, signal);
      } catch (error) {
        if (!(error instanceof ChainError && error.code === 'no-capacity')) throw error;
        const freed = this.#kept.closeOldest(wanted.model.served.cid);
        if (freed) await this.#roomOf(freed);
        else if (capacity > least) capacity = Math.max(least, Math.floor(capacity / 2));
        else throw error;
      }
    }
  }

  /** A host frees the caches of a closed session a moment after it hears of it. */
  async #roomOf(closing: Promise<void>): Promise<void> {
    const { host, swarm } = this.options;
    const before = host.status().sessions;
    await new Promise<void>((resolve) => {
      let ended = false;
      const cancel = swarm.clock.after(FREED_MS, () => done());
      const unsubscribe = host.subscribe(({ sessions }) => {
        // First that the session is over, then that its memory is free.
        if (ended) done();
        ended ||= sessions < before;
      });
      const done = () => {
        cancel();
        unsubscribe();
        resolve();
      };
      void closing;
    });
  }

  #find(name: string): ServedModel {
    const models = this.#served();
    const found = models.find(({ id, cid }) => id === name || cid === name);
    if (found) return found;
    const names = models.slice(0, MOST_NAMES).map(({ id }) => id);
    const list = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none yet.';
    throw new AnswerError('no-model', `This relay has no such model. ${list}`);
  }

  #peersOf({ served, manifest }: PreparedModel): ModelPeers {
    const { swarm, agent, chainLimits } = this.options;
    const { cid } = served;
    let peers = this.#peers.get(cid);
    if (!peers) {
      peers = new ModelPeers({ ...swarm, agent, cid, layers: manifest.config.layers, limits: chainLimits });
      this.#peers.set(cid, peers);
    }
    return peers;
  }

  /** The models that are served now; what is kept of others is let go of. */
  #served(): readonly ServedModel[] {
    const models = this.options.models();
    const cids = new Set(models.map(({ cid }) => cid));
    this.#prepared.keepOnly(cids);
    this.#ends.keepOnly(cids);
    this.#kept.keepOnly(cids);
    for (const [cid, peers] of this.#peers) {
      if (cids.has(cid) || this.#kept.has(cid)) continue;
      peers.dispose();
      this.#peers.delete(cid);
    }
    for (const cid of this.#created.keys()) if (!cids.has(cid)) this.#created.delete(cid);
    for (const cid of cids)
      if (!this.#created.has(cid)) this.#created.set(cid, Math.floor(Date.now() / 1000));
    return models;
  }
}

function check({ logprobs, maxTokens }: Question): void {
  const whole =
    logprobs === null || (Number.isInteger(logprobs) && logprobs >= 0 && logprobs <= MOST_LOGPROBS);
  if (!whole)
    throw new AnswerError('bad-question', `Ask for 0 to ${MOST_LOGPROBS} log-probabilities per token.`);
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 1))
    throw new AnswerError('bad-question', 'An answer has at least one token.');
}
