import {
  type ChatCompletionChunk,
  type CompletionParameters,
  type Shoal,
  ShoalError,
  toShoalError,
} from '../../sdk/early.ts';
import { Recorder } from './happened.ts';
import type { ThreadMessage } from './types.ts';

/** Milliseconds that an answer has to end by itself after Stop, which it does within one step, with its last words. */
const LAST_WORDS_MS = 2000;

/** What the thread asks of the sdk; the signal and the stream are added here. */
export type Asked = Omit<CompletionParameters, 'signal' | 'stream'>;

/** One answer while it is given. */
export class Answering {
  readonly #control = new AbortController();
  readonly #late = new AbortController();
  readonly #recorder: Recorder;
  /** Ends the asking that waits for the model, so that the network is asked instead. */
  #waiting = new AbortController();
  #elsewhere = false;
  #started = false;
  #content: string;
  #state: ThreadMessage['state'] = 'waiting';
  #error: ShoalError | null = null;

  /**
   * @param first the answer before it has words, or with those that are to be continued
   * @param progress called at each chunk: the message is made when it is asked for, not for each token
   */
  constructor(
    private readonly shoal: Shoal,
    private readonly asked: Asked,
    private readonly first: ThreadMessage,
    private readonly progress: () => void,
  ) {
    this.#content = first.content;
    this.#recorder = new Recorder(first.happened, () => shoal.status.get().engine?.backend ?? null);
  }

  get id(): string {
    return this.first.id;
  }

  /** As it is now. */
  message(): ThreadMessage {
    const { route: _, ...first } = this.first;
    return {
      ...first,
      content: this.#content,
      state: this.#state,
      error: this.#error,
      happened: this.#recorder.get(),
    };
  }

  stop(): void {
    if (this.#control.signal.aborted) return;
    this.#control.abort();
    setTimeout(() => this.#late.abort(), LAST_WORDS_MS);
  }

  /** Asks the network, when not a word has come and this was not done yet. */
  answerNow(): void {
    const { route = 'auto', while_loading } = this.asked;
    if (this.#started || this.#elsewhere || route === 'network' || while_loading === 'network') return;
    this.#elsewhere = true;
    this.#waiting.abort();
  }

  /** Gives the whole answer; does not throw: why it ended is in the message. */
  async run(): Promise<ThreadMessage> {
    const { signal } = this.#control;
    try {
      try {
        await this.#stream(this.asked, AbortSignal.any([signal, this.#waiting.signal]));
      } catch (error) {
        if (!this.#elsewhere || this.#started || signal.aborted) throw error;
        await this.#stream({ ...this.asked, route: 'auto', while_loading: 'network' }, signal);
      }
    } catch (error) {
      const told = toShoalError(error);
      if (signal.aborted && told.code === 'aborted') this.#state = 'stopped';
      else {
        this.#state = 'failed';
        this.#error = tooLong(told);
      }
    }
    return this.message();
  }

  async #stream(asked: Asked, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const create = this.shoal.chat.completions.create({ ...asked, stream: true, signal });
    const chunks = (await abortable(create, signal))[Symbol.asyncIterator]();
    try {
      // Nothing is lost with a wait for the first chunk; after it the signal still brings what was held back.
      let next = await abortable(chunks.next(), signal);
      this.#started = true;
      for (; !next.done; next = await abortable(chunks.next(), this.#late.signal)) this.#take(next.value);
    } finally {
      // Nothing where it has ended; a stream that does not listen is left to itself.
      chunks.return?.().catch(() => {});
    }
    if (this.#state === 'done' || this.#state === 'limit') return;
    signal.throwIfAborted();
    throw new ShoalError('failed', 'The answer broke off. Continue it, or ask again.');
  }

  #take(chunk: ChatCompletionChunk): void {
    this.#recorder.add(chunk);
    const choice = chunk.choices[0];
    this.#content += choice?.delta.content ?? '';
    if (choice?.delta.content || chunk.shoal.token_ids.length > 0) this.#state = 'streaming';
    if (choice?.finish_reason) this.#state = choice.finish_reason === 'length' ? 'limit' : 'done';
    this.progress();
  }
}

/** The caps on a request are far above every context, so that what breaks them is a conversation of that length. */
function tooLong(error: ShoalError): ShoalError {
  if (error.code !== 'bad-request' || error.param !== 'messages') return error;
  return new ShoalError(
    'context-full',
    'This conversation is longer than the model can read. Start a new chat.',
    {
      cause: error,
    },
  );
}

/** Waits no longer than the signal allows; what it waited for goes on alone. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
