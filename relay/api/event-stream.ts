import type { ServerResponse } from 'node:http';

/** A client that takes nothing for this long is gone, or holds a place for nothing. Milliseconds. */
const STALLED_MS = 60_000;

/** Server-sent events, as OpenAI sends them. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #onStall: () => void;
  readonly #stalledMs: number;

  /** @param onStall the client reads no more; whoever hears it ends the answer */
  constructor(
    response: ServerResponse,
    signal: AbortSignal,
    onStall: () => void,
    stalledMs: number = STALLED_MS,
  ) {
    this.#response = response;
    this.#signal = signal;
    this.#onStall = onStall;
    this.#stalledMs = stalledMs;
  }

  get opened(): boolean {
    return this.#response.headersSent;
  }

  /** Sends the headers. */
  open(): void {
    const response = this.#response;
    if (response.headersSent) return;
    response.statusCode = 200;
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    response.setHeader('Cache-Control', 'no-cache, no-transform');
    // nginx otherwise collects the events and sends them all at the end.
    response.setHeader('X-Accel-Buffering', 'no');
    response.flushHeaders();
  }

  /** A line that clients skip; it keeps proxies from closing the connection. Left out when the client does not keep up. */
  comment(text: string): void {
    this.open();
    if (!this.#response.writableNeedDrain && !this.#response.destroyed) this.#response.write(`: ${text}\n\n`);
  }

  /** Resolves when the client can take more, or is gone. */
  async send(value: object): Promise<void> {
    this.open();
    if (this.#response.destroyed) return;
    if (!this.#response.write(`data: ${JSON.stringify(value)}\n\n`)) await this.#drained();
  }

  /** @param whole false after an error: the stream then ends without [DONE] */
  end(whole: boolean): void {
    if (!this.#response.destroyed) this.#response.end(whole ? 'data: [DONE]\n\n' : undefined);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const response = this.#response;
      const done = () => {
        clearTimeout(timer);
        response.off('drain', done).off('close', done);
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#onStall();
        done();
      }, this.#stalledMs);
      response.once('drain', done).once('close', done);
      this.#signal.addEventListener('abort', done, { once: true });
      if (this.#signal.aborted || response.destroyed) done();
    });
  }
}
