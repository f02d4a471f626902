import { type Chain, type ChainStatus, openChain } from '../../chain/index.ts';
import { capacityFor, Dialogue, type Line, lineFor, type Need } from '../../chat/index.ts';
import { chunksOf, type Work } from '../answer.ts';
import { aborted, toShoalError } from '../errors.ts';
import type { CheckedParameters } from '../parameters.ts';
import type { Platform } from '../platform.ts';
import { Queue } from '../queue.ts';
import { randomHex32, randomId } from '../random.ts';
import { Trace } from '../trace.ts';
import type { ChatCompletionChunk, ModelEntry, ShoalOptions } from '../types.ts';
import { ChainNews } from './chain-news.ts';
import type { ClientModel, ClientModels, Lease } from './client-model.ts';
import { AGENT } from './greet.ts';
import type { Joined, Member } from './member.ts';
import type { OwnSlices } from './own-slice.ts';

/** Answers over the network at once; the fifth waits. */
export const MOST_ANSWERS = 4;
/** Chains kept open for the next turn: the conversation on the page, and one more. */
const MOST_IDLE = 2;
/** Milliseconds without a turn after which a chain is closed: hosts need their memory for others. */
const IDLE_MS = 300_000;

interface OpenLine extends Line {
  /** Of the engines in this tab that the chain begins and ends with. */
  lease: Lease;
  chain: Chain;
  news: ChainNews;
  dialogue: Dialogue;
  /** Ends the timer that closes it. */
  cancelIdle: () => void;
}

/** Answers conversations through chains of peers. */
export class NetworkRoute {
  readonly #places = new Queue(MOST_ANSWERS);
  /** Not in use now. */
  #idle: OpenLine[] = [];
  /** Chains that are open, in use or not. */
  #open = 0;
  /** In use, so that a dispose can end them. */
  readonly #running = new Set<AbortController>();

  constructor(
    private readonly platform: Platform,
    private readonly member: Member,
    private readonly models: ClientModels,
    private readonly ownSlices: OwnSlices,
    private readonly wire: NonNullable<ShoalOptions['wire']>,
  ) {}

  /**
   * @param choose the model to ask
   * @param reason why the automatic route came here
   */
  async *answer(
    parameters: CheckedParameters,
    choose: (signal: AbortSignal) => Promise<ModelEntry>,
    reason: string | null,
  ): AsyncGenerator<ChatCompletionChunk> {
    const leave = await this.#places.enter(parameters.signal);
    const control = new AbortController();
    this.#running.add(control);
    const signal = parameters.signal ? AbortSignal.any([control.signal, parameters.signal]) : control.signal;
    const trace = new Trace(() => this.platform.now());
    try {
      const joined = await this.member.join(signal);
      const entry = await choose(signal);
      const lease = await this.models.get(entry, parameters.privacy, signal);
      const line = await this.#lineFor(joined, lease, parameters, signal);
      yield* this.#run(line, parameters, { reason, trace }, signal);
    } catch (error) {
      throw signal.aborted ? aborted(error) : toShoalError(error);
    } finally {
      control.abort();
      this.#running.delete(control);
      leave();
    }
  }

  /** Closes the chains that are kept for a next turn. */
  async closeIdle(): Promise<void> {
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map((line) => this.#close(line)));
  }

  async dispose(): Promise<void> {
    for (const control of this.#running) control.abort();
    await this.closeIdle();
    this.models.drop();
  }

  async *#run(
    line: OpenLine,
    { messages, sampling, maxTokens, stop, privacy, continueFinal }: CheckedParameters,
    { reason, trace }: { reason: string | null; trace: Trace },
    signal: AbortSignal,
  ): AsyncGenerator<ChatCompletionChunk> {
    const before = line.chain.status();
    const begun = continueFinal ? (messages.at(-1)?.content ?? '') : '';
    let said = begun;
    let reusable = false;
    line.news.follow(trace);
    try {
      const chunks = chunksOf(
        {
          id: `chatcmpl-${randomId()}`,
          created: Math.floor(Date.now() / 1000),
          model: line.lease.model.entry.id,
        },
        line.dialogue.run(messages, {
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
          route: 'network',
          reason,
          privacy,
          work: () => workSince(before, line.chain.status()),
          trace,
        },
      );
      // Also after a stop, and when the reader leaves: the caches stay in step with the dialogue.
      reusable = true;
      for await (const chunk of chunks) {
        said += chunk.choices[0]?.delta.content ?? '';
        yield chunk;
      }
      if (signal.aborted) throw aborted(signal.reason);
    } catch (error) {
      reusable = signal.aborted;
      throw error;
    } finally {
      line.news.leave();
      const asked = continueFinal ? messages.slice(0, -1) : messages;
      line.messages = [...asked, { role: 'assistant', content: said }];
      await this.#keep(line, reusable);
    }
  }

  /** Takes the lease over, or gives it back. */
  async #lineFor(
    joined: Joined,
    lease: Lease,
    parameters: CheckedParameters,
    signal: AbortSignal,
  ): Promise<OpenLine> {
    const { model } = lease;
    const { messages, maxTokens, privacy } = parameters;
    try {
      const capacity = capacityFor(promptTokens(model, parameters), maxTokens, model.maxTokens);
      const need = { cid: model.entry.cid, privacy, capacity, messages };
      const found = await this.#take(lease, need);
      if (found) {
        lease.done();
        return found;
      }
      const { transport, directory, clock } = joined.swarm;
      const news = new ChainNews();
      const chain = await openChain(
        {
          transport,
          directory,
          clock,
          manifest: model.manifest,
          cid: model.entry.cid,
          privacy,
          parts: privacy === 'light' ? { front: null, head: null } : model.parts,
          agent: AGENT,
          randomId: randomHex32,
          dtype: this.wire,
          maxTokens: capacity,
          onEvent: (event) => news.take(event),
          runLocally: (range, stop) =>
            privacy === 'light'
              ? Promise.resolve(false)
              : this.ownSlices.run(joined.host, model.entry, model.manifest, range, stop),
        },
        signal,
      );
      const clockOfSteps = { now: () => this.platform.now() };
      const dialogue = new Dialogue(chain, model.tokenizer, model.template, clockOfSteps);
      this.#open++;
      return { ...need, lease, chain, news, dialogue, usedAt: 0, cancelIdle: () => {} };
    } catch (error) {
      lease.done();
      throw error;
    }
  }

  /** The kept line that holds this conversation, out of those that are kept; lines of another model are closed. */
  async #take(lease: Lease, need: Need): Promise<OpenLine | null> {
    const others = this.#idle.filter((line) => line.lease.model !== lease.model);
    this.#idle = this.#idle.filter((line) => line.lease.model === lease.model);
    const found = lineFor(this.#idle, need);
    if (found) {
      this.#idle = this.#idle.filter((line) => line !== found);
      found.cancelIdle();
    }
    await Promise.all(others.map((line) => this.#close(line)));
    return found;
  }

  async #keep(line: OpenLine, reusable: boolean): Promise<void> {
    const joined = this.member.enabled ? await this.member.open() : null;
    if (!reusable || !joined) return this.#close(line);
    line.usedAt = this.platform.now();
    line.cancelIdle = joined.swarm.clock.after(IDLE_MS, () => {
      this.#idle = this.#idle.filter((one) => one !== line);
      void this.#close(line);
    });
    this.#idle.push(line);
    while (this.#idle.length > MOST_IDLE) {
      const oldest = this.#idle.shift();
      if (oldest) await this.#close(oldest);
    }
  }

  /** A chain whose hops are gone closes as well: there is nobody left to tell. */
  async #close({ dialogue, chain, lease, cancelIdle }: OpenLine): Promise<void> {
    cancelIdle();
    await dialogue.close();
    await chain.dispose();
    lease.done();
    if (--this.#open === 0) await this.ownSlices.drop();
  }
}

function promptTokens(
  { template, tokenizer }: ClientModel,
  { messages, continueFinal }: CheckedParameters,
): number {
  if (!continueFinal) return template.encode(messages, tokenizer).length;
  const { prompt, begun } = template.encodeContinued(messages, tokenizer);
  return prompt.length + begun.length;
}

function workSince(before: ChainStatus, now: ChainStatus): Work {
  return {
    hops: now.hops.map(({ peer, start, end, path, backend, roundTripMs }) => ({
      peer,
      start,
      end,
      path,
      backend,
      round_trip_ms: roundTripMs,
    })),
    recoveries: now.recoveries - before.recoveries,
    computeMs: now.computeMs - before.computeMs,
    wireMs: now.wireMs - before.wireMs,
  };
}
