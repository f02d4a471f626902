import type { AnswerEvent } from '../answers/types.ts';
import type { Call } from '../http/types.ts';
import type { ApiError } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { Ticket } from './fair-queue.ts';
import type { Provenance } from './provenance.ts';
import { sendError, sendJson } from './respond.ts';
import type { Shape, Usage } from './shapes.ts';

/** How an answer reaches its client. */
export interface Sender {
  /** Tells the place in the queue, as long as it waits. @returns a function that ends it */
  wait(ticket: Ticket): () => void;
  /** One event of the answer; resolves when the client can take the next. */
  event(event: AnswerEvent): Promise<void>;
  fail(error: ApiError): Promise<void>;
}

/** Milliseconds. */
export interface Beat {
  /** How often a change of place is told. A wait shorter than this is not told, so that its errors have a status. */
  place: number;
  /** Proxies commonly close a connection on which nothing moves for 30 or 60 s. */
  keepAlive: number;
}

export const BEAT: Beat = { place: 1_000, keepAlive: 15_000 };

type Done = Extract<AnswerEvent, { type: 'done' }>;

function usageOf({ usage: { prompt, cached, completion } }: Done): Usage {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function setHeaders({ response }: Call, provenance: Provenance): void {
  response.setHeader('x-shoal-route', provenance.routeHeader());
  response.setHeader('Server-Timing', provenance.timingHeader());
}

/** The answer as one JSON object. */
export class WholeSender implements Sender {
  readonly #call: Call;
  readonly #shape: Shape;
  readonly #provenance: Provenance;

  constructor(call: Call, shape: Shape, provenance: Provenance) {
    this.#call = call;
    this.#shape = shape;
    this.#provenance = provenance;
  }

  wait(): () => void {
    return () => undefined;
  }

  async event(event: AnswerEvent): Promise<void> {
    if (event.type === 'token') this.#shape.token(event);
    if (event.type !== 'done') return;
    this.#shape.end(event.text, event.reason);
    setHeaders(this.#call, this.#provenance);
    sendJson(this.#call, 200, {
      ...this.#shape.whole(event.reason, usageOf(event)),
      shoal: this.#provenance.details(),
    });
  }

  async fail(error: ApiError): Promise<void> {
    sendError(this.#call, error);
  }
}

/** The answer as server-sent events, while it is written. */
export class StreamSender implements Sender {
  readonly #call: Call;
  readonly #shape: Shape;
  readonly #provenance: Provenance;
  readonly #includeUsage: boolean;
  readonly #beat: Beat;
  readonly #stream: EventStream;
  readonly #alive: NodeJS.Timeout;
  #begun = false;
  #doing = 'waiting';

  /** @param onStall the client reads no more */
  constructor(
    call: Call,
    shape: Shape,
    provenance: Provenance,
    options: { includeUsage: boolean; beat: Beat; signal: AbortSignal; onStall: () => void },
  ) {
    this.#call = call;
    this.#shape = shape;
    this.#provenance = provenance;
    this.#includeUsage = options.includeUsage;
    this.#beat = options.beat;
    this.#stream = new EventStream(call.response, options.signal, options.onStall);
    // The place in the queue has a beat of its own, and before the route is known an error still has a status.
    this.#alive = setInterval(() => {
      if (this.#stream.opened) this.#stream.comment(this.#doing);
    }, options.beat.keepAlive);
    call.response.once('close', () => clearInterval(this.#alive));
  }

  wait(ticket: Ticket): () => void {
    let told = '';
    const timer = setInterval(() => {
      const { place, of } = ticket.place();
      this.#doing = `waiting, place ${place} of ${of}`;
      if (this.#doing === told || place === 0) return;
      told = this.#doing;
      this.#open();
      this.#stream.comment(told);
    }, this.#beat.place);
    this.#call.response.once('close', () => clearInterval(timer));
    return () => {
      clearInterval(timer);
      this.#doing = 'working';
    };
  }

  async event(event: AnswerEvent): Promise<void> {
    this.#open();
    if (!this.#begun) {
      this.#begun = true;
      for (const chunk of this.#shape.begin()) await this.#stream.send(chunk);
    }
    if (event.type === 'prefill') this.#doing = `reading, ${event.done} of ${event.total} tokens`;
    if (event.type === 'token') {
      this.#doing = 'writing';
      const chunk = this.#shape.token(event);
      if (chunk) await this.#stream.send(chunk);
    }
    if (event.type === 'done') await this.#finish(event);
  }

  async fail(error: ApiError): Promise<void> {
    clearInterval(this.#alive);
    if (!this.#stream.opened) return sendError(this.#call, error);
    // The status is gone; the openai client throws when it reads this.
    await this.#stream.send(error.body());
    this.#stream.end(false);
  }

  async #finish(event: Done): Promise<void> {
    const chunks = this.#shape.end(event.text, event.reason);
    if (this.#includeUsage) chunks.push(this.#shape.usage(usageOf(event)));
    const last = chunks.pop()!;
    for (const chunk of chunks) await this.#stream.send(chunk);
    await this.#stream.send({ ...last, shoal: this.#provenance.details() });
    clearInterval(this.#alive);
    this.#stream.end(true);
  }

  #open(): void {
    if (this.#stream.opened) return;
    // At a comment of the queue nothing is known yet.
    if (!this.#doing.startsWith('waiting')) setHeaders(this.#call, this.#provenance);
    this.#stream.open();
  }
}
