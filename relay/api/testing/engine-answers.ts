import {
  ChatError,
  ChatTemplate,
  Dialogue,
  type Tokenizer,
  Tokenizer as TokenizerOf,
  type TurnModel,
} from '../../../src/chat/index.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { loadEngine } from '../../../src/engine/node.ts';
import {
  MemorySource,
  makeManifest,
  openModelFiles,
  readTokenizer,
  wholeSlice,
} from '../../../src/model/index.ts';
import { tinyModel } from '../../../src/sdk/testing/tiny-model.ts';
import {
  type AnswerableModel,
  AnswerError,
  type AnswerEvent,
  type Answers,
  type Question,
  type TokenLogprob,
} from '../../answers/types.ts';

export const MODEL = 'tiny/shoal';

/** A real engine and real dialogues over a tiny model, without chains: real tokens, and a real stop. */
export class EngineAnswers implements Answers {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly model: AnswerableModel;
  /** Forward calls so far. */
  forwards = 0;
  /** Answers that began and ended, whichever way. */
  began = 0;
  ended = 0;
  /** Called before each forward call, to hold it back or to fail. */
  before: (signal: AbortSignal | undefined) => Promise<void> | void = () => undefined;
  /** Questions as they came. */
  readonly questions: Question[] = [];
  #running = 0;

  private constructor(engine: Engine, tokenizer: Tokenizer, cid: string) {
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.model = { id: MODEL, cid, created: 1_700_000_000, maxTokens: engine.info.maxTokens };
  }

  static async open(): Promise<EngineAnswers> {
    const opened = await openModelFiles([new MemorySource('tiny.gguf', tinyModel(2, 1.5))]);
    const { manifest, cid } = await makeManifest(opened);
    const tokenizer = await readTokenizer(manifest, { sources: [opened.sources] });
    const engine = await loadEngine({
      manifest,
      slice: wholeSlice(manifest),
      weights: { kind: 'files', files: [new Blob([tinyModel(2, 1.5) as Uint8Array<ArrayBuffer>])] },
      measure: false,
      threads: 1,
    });
    return new EngineAnswers(engine, new TokenizerOf(tokenizer!), cid);
  }

  models(): AnswerableModel[] {
    return [this.model];
  }

  async *ask(question: Question, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void> {
    if (question.model !== this.model.id && question.model !== this.model.cid) {
      throw new AnswerError('no-model', `There is no such model here. There is: ${this.model.id}.`);
    }
    this.questions.push(question);
    this.began++;
    this.#running++;
    let logits: Float32Array | null = null;
    const model: TurnModel = {
      info: { maxTokens: this.model.maxTokens },
      open: () => this.engine.open(),
      forward: async (session, input, options) => {
        await this.before(options?.signal);
        this.forwards++;
        const output = await this.engine.forward(session, input, { signal: options?.signal });
        logits = output.logits;
        return output;
      },
      truncate: (session, length) => this.engine.truncate(session, length),
      close: (session) => this.engine.close(session),
    };
    const { prompt } = question;
    const raw = 'text' in prompt;
    const template = new ChatTemplate(raw ? "{{ bos_token }}{{ messages[0]['content'] }}" : null);
    const messages = raw ? [{ role: 'user' as const, content: prompt.text }] : prompt.messages;
    const dialogue = new Dialogue(model, this.tokenizer, template);
    try {
      yield { type: 'route', route: 'own', hops: [] };
      const { sampling, maxTokens, stop } = question;
      for await (const event of dialogue.run(messages, { sampling, maxTokens, stop, signal })) {
        if (event.type === 'token' && question.logprobs !== null) {
          yield { ...event, logprob: logprobs(logits!, event.id, question.logprobs) };
        } else if (event.type === 'done') {
          if (event.reason === 'aborted') throw new AnswerError('aborted', 'The answer was stopped.');
          const { usage, timings, cachedTokens, text } = event;
          yield {
            type: 'done',
            reason: event.reason === 'stop' ? 'stop' : 'length',
            text,
            usage: { prompt: usage.prompt_tokens, cached: cachedTokens, completion: usage.completion_tokens },
            timings: {
              firstTokenMs: timings.first_token_ms,
              computeMs: timings.compute_ms,
              wireMs: 0,
              findMs: 0,
            },
            recoveries: 0,
          };
        } else yield event;
      }
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      const code =
        error.code === 'context-full' ? 'context-full' : error.code === 'failed' ? 'failed' : 'bad-question';
      throw new AnswerError(code, error.message, { cause: error });
    } finally {
      await dialogue.close();
      this.#running--;
      this.ended++;
    }
  }

  status() {
    return { running: this.#running, openChains: 0 };
  }

  async close(): Promise<void> {
    await this.engine.dispose();
  }
}

/** The vocabulary of the tiny model: three control tokens, then the 256 bytes. */
function bytesOf(id: number): Uint8Array {
  return id < 3 ? new Uint8Array() : Uint8Array.of(id - 3);
}

function logprobs(logits: Float32Array, id: number, top: number): TokenLogprob & { top: TokenLogprob[] } {
  const most = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  const of = (one: number): TokenLogprob => ({
    id: one,
    bytes: bytesOf(one),
    logprob: logits[one]! - most - Math.log(sum),
  });
  const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, top);
  return { ...of(id), top: ids.map(of) };
}
