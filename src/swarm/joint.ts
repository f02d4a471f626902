import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import { FrameReader } from '../wire/index.ts';
import { isOpen } from './drain.ts';
import {
  ASK_BURST,
  ASK_MS,
  ASKS_PER_SECOND,
  MAX_ASKED,
  MAX_JOIN_MESSAGE_BYTES,
  MAX_SMALL_MESSAGE_BYTES,
  QUIET_FIRST_MS,
  QUIET_LONGEST_MS,
} from './federation-limits.ts';
import { decodeJoin, encodeJoin, type JoinHello, type JoinMessage } from './join-messages.ts';
import { DIAL_MS } from './limits.ts';
import type { Provider } from './provider-records.ts';
import { RateLimit } from './rate.ts';
import type { Clock } from './types.ts';

export interface JointOptions {
  clock: Clock;
  /** What this relay tells of itself. */
  hello: () => JoinHello;
  /** The other told of itself, perhaps not for the first time. */
  told: (hello: JoinHello) => void;
  /** Own records of a key. */
  own: (key: string) => Provider[];
  /** It is over. `broke`: the other sent what no honest relay sends. Told once. */
  over: (reason: string, broke: boolean) => void;
}

/** One stream between two relays. Each asks, and each answers from its own records, so that no question goes on. */
export class Joint {
  readonly #stream: Stream;
  readonly #options: JointOptions;
  readonly #waiting = new Map<number, (providers: Provider[] | null) => void>();
  readonly #asked: RateLimit;
  readonly #asks: RateLimit;
  #greeted = false;
  readonly #cancelGreeting: () => void;
  #lastHello = '';
  #nextId = 0;
  /** Questions that were not answered yet, those past their deadline included. */
  #owed = 0;
  #quietMs = 0;
  #quietUntil = 0;
  #over = false;

  constructor(stream: Stream, options: JointOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#asks = new RateLimit(options.clock, ASKS_PER_SECOND, ASK_BURST);
    this.#asked = new RateLimit(options.clock, 2 * ASKS_PER_SECOND, 2 * ASK_BURST);
    const reader = new FrameReader((body) => this.#take(body));
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      if (this.#over) return;
      try {
        for (const chunk of data instanceof Uint8Array ? [data] : data) reader.push(chunk);
      } catch {
        return this.#end('it sent what is no message', true);
      }
      // What a frame that is not whole takes is bounded too; a reader holds at most twice of what came.
      if (reader.held > 2 * MAX_JOIN_MESSAGE_BYTES + 64) this.#end('its message is too long', true);
    });
    const closed = () => this.#end('the connection closed', false);
    stream.addEventListener('close', closed);
    stream.addEventListener('remoteCloseWrite', closed);
    if (!isOpen(stream)) queueMicrotask(closed);
    this.#cancelGreeting = options.clock.after(DIAL_MS, () => this.#end('it said nothing', false));
  }

  /** The other told who it is. */
  get ready(): boolean {
    return this.#greeted && !this.#over;
  }

  /** Tells of this relay, unless it is what was told last. */
  greet(): void {
    const hello = this.#options.hello();
    const text = JSON.stringify(hello);
    if (text !== this.#lastHello && this.#send(hello)) this.#lastHello = text;
  }

  /** The other's own providers of a key; null when it does not say in time, or is left out for being slow. */
  async ask(key: string): Promise<Provider[] | null> {
    const { clock } = this.#options;
    if (!this.ready || clock.now() < this.#quietUntil || this.#waiting.size >= MAX_ASKED) return null;
    const id = this.#nextId++;
    if (!this.#asks.take() || !this.#send({ kind: 'ask', id, key })) return null;
    this.#owed++;
    return new Promise((resolve) => {
      const cancel = clock.after(ASK_MS, () => {
        this.#waiting.delete(id);
        this.#late();
        resolve(null);
      });
      this.#waiting.set(id, (providers) => {
        cancel();
        resolve(providers);
      });
    });
  }

  end(reason: string): void {
    this.#end(reason, false);
  }

  #take(body: Uint8Array): void {
    if (this.#over) return;
    // Only an answer is long, and only one that was asked for is read.
    const message = body.length > MAX_SMALL_MESSAGE_BYTES && this.#owed === 0 ? null : decodeJoin(body);
    if (message === null) this.#end('it sent what is no message', true);
    else if (message.kind === 'answer') this.#answered(message.id, message.providers);
    else if (!this.#asked.take()) this.#end('it floods this relay with questions', true);
    else if (message.kind === 'hello') {
      this.#greeted = true;
      this.#cancelGreeting();
      this.#options.told(message);
    } else if (this.#greeted) {
      // One that does not read gets no answer: what waits for it stays bounded.
      this.#send({ kind: 'answer', id: message.id, providers: this.#options.own(message.key) });
    }
  }

  #answered(id: number, providers: Provider[]): void {
    if (this.#owed === 0) {
      this.#end('it answered what was not asked', true);
      return;
    }
    this.#owed--;
    this.#quietMs = 0;
    this.#quietUntil = 0;
    this.#waiting.get(id)?.(providers);
    this.#waiting.delete(id);
  }

  /** Each deadline missed costs its askers a second; the next ones are spared it for a while. */
  #late(): void {
    const now = this.#options.clock.now();
    if (now < this.#quietUntil) return;
    this.#quietMs = Math.min(QUIET_LONGEST_MS, Math.max(QUIET_FIRST_MS, 2 * this.#quietMs));
    this.#quietUntil = now + this.#quietMs;
  }

  #send(message: JoinMessage): boolean {
    if (this.#over || !isOpen(this.#stream) || this.#stream.writableNeedsDrain) return false;
    try {
      this.#stream.send(encodeJoin(message));
      return true;
    } catch {
      // The stream is closing; its `close` ends this.
      return false;
    }
  }

  #end(reason: string, broke: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelGreeting();
    this.#stream.abort(new Error(`The relays part: ${reason}.`));
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
    this.#options.over(reason, broke);
  }
}
