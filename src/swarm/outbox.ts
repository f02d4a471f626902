import type { Stream } from '@libp2p/interface';
import { drained, isOpen } from './drain.ts';
import { MAX_QUEUED_BYTES } from './limits.ts';
import { TransportError } from './types.ts';
import { until } from './until.ts';

export interface OutboxOptions {
  peer: string;
  /** Opens the one outgoing stream; asked for when the first frame is sent, and again after a failure. */
  open: () => Promise<Stream>;
  sent: (bytes: number) => void;
}

/** Frames to one peer, in order, no faster than it takes them. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #over = new AbortController();
  #stream: Stream | null = null;
  #opening: Promise<Stream> | null = null;
  #tail: Promise<void> = Promise.resolve();
  /** Sends that wait for their turn or for the link. */
  #waiting = 0;
  #queuedBytes = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the link took the whole frame. The bytes must not be changed any more. An aborted send that has
   * begun is still sent.
   * @throws TransportError `unreachable`, `gone`, `aborted`, `too-large`
   */
  async send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw aborted(signal);
    this.#over.signal.throwIfAborted();
    const stream = this.#stream;
    // The usual case, a frame at a time on an open link, costs no turn of the event loop.
    if (this.#waiting === 0 && stream && isOpen(stream) && !stream.writableNeedsDrain) {
      this.#write(stream, frame);
      if (!stream.writableNeedsDrain && stream.writeBufferLength === 0) return;
      return this.#inTurn(0, signal, async () => {});
    }
    if (this.#queuedBytes + frame.length > MAX_QUEUED_BYTES)
      throw new TransportError(
        'too-large',
        `More than ${MAX_QUEUED_BYTES / 1024 / 1024} MiB wait for peer ${this.#options.peer}: it reads too slowly.`,
      );
    return this.#inTurn(frame.length, signal, async () => {
      const open = await until(this.#ready(), signal, this.#over.signal);
      this.#write(open, frame);
    });
  }

  /** Ends every send that waits, and all later ones. */
  end(error: TransportError): void {
    this.#over.abort(error);
  }

  async #inTurn(bytes: number, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    const turn = this.#tail;
    let done!: () => void;
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#tail = turn.then(() => finished);
    this.#waiting++;
    this.#queuedBytes += bytes;
    try {
      await until(turn, signal, this.#over.signal);
      await work();
      if (this.#stream) await until(drained(this.#stream), signal, this.#over.signal);
      // The stream may have closed with the frame still in it.
      this.#over.signal.throwIfAborted();
    } catch (error) {
      throw signal?.aborted && error === signal.reason ? aborted(signal) : error;
    } finally {
      this.#waiting--;
      this.#queuedBytes -= bytes;
      done();
    }
  }

  async #ready(): Promise<Stream> {
    if (!this.#stream) {
      this.#opening ??= this.#options.open().finally(() => {
        this.#opening = null;
      });
      this.#stream = await this.#opening;
    }
    await drained(this.#stream);
    return this.#stream;
  }

  #write(stream: Stream, frame: Uint8Array): void {
    try {
      stream.send(frame);
    } catch (error) {
      throw new TransportError('gone', `The link to peer ${this.#options.peer} broke.`, { cause: error });
    }
    this.#options.sent(frame.length);
  }
}

function aborted(signal: AbortSignal): TransportError {
  return new TransportError('aborted', 'Sending was aborted.', { cause: signal.reason });
}
