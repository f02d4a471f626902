import type { Writable } from 'node:stream';

/** Bytes that may wait for a reader that does not read, such as a stopped `less`. */
const MAX_WAITING = 1024 * 1024;
/** A full disk is tried again after this. Milliseconds. */
const AGAIN_MS = 5_000;

/**
 * Lines to a stream that may fail: a closed pipe, a full disk or a reader that stands still lose lines, and never more
 * than that. How many were lost is said in the first line that gets through.
 */
export class LogSink {
  #lost = 0;
  #closed = false;
  #brokenUntil = 0;

  constructor(
    private readonly stream: Writable,
    private readonly now: () => number,
    /** The line that says how many were lost. */
    private readonly lossLine: (lost: number) => string,
  ) {
    // Without a listener, the error of a closed standard output ends the process.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
  }

  write(line: string): void {
    if (this.#closed) return;
    const waits = this.stream.writableLength > MAX_WAITING || this.now() < this.#brokenUntil;
    if (waits || this.stream.destroyed) {
      this.#lost++;
      return;
    }
    try {
      if (this.#lost > 0) {
        const lost = this.#lost;
        this.#lost = 0;
        this.stream.write(this.lossLine(lost), (error) => {
          if (error) this.#lost += lost;
        });
      }
      this.stream.write(line, (error) => {
        if (error) this.#lost++;
      });
    } catch (error) {
      this.#lost++;
      this.#failed(error as NodeJS.ErrnoException);
    }
  }

  #failed(error: NodeJS.ErrnoException): void {
    // Nobody reads any more, and nobody will: there is no way back from a closed pipe.
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') this.#closed = true;
    this.#brokenUntil = this.now() + AGAIN_MS;
  }
}
