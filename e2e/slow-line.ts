import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Bytes that one connection sends before another has its turn: 13 ms at 10 Mbit/s. */
const PIECE = 16 * 1024;

export interface LineOptions {
  /** Bits per second, each way, of all connections together. */
  bitsPerSecond: number;
  /** Milliseconds there and back. */
  roundTripMs: number;
}

/**
 * A slow line to a server on this machine. What a browser offers to slow a page down leaves its workers out, and they
 * fetch most of what a visitor waits for.
 */
export class SlowLine {
  /** Bytes that came down the line. */
  received = 0;
  /** Bytes that went up. */
  sent = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param to http address of a server on this machine */
  static async to(to: string, options: LineOptions): Promise<SlowLine> {
    const { hostname, port } = new URL(to);
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const line = new SlowLine(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const down = new Pace(options);
    const up = new Pace(options);
    server.on('connection', (near) => {
      const far = connect(Number(port), hostname);
      near.setNoDelay();
      far.setNoDelay();
      line.#join(far, near, down, (bytes) => {
        line.received += bytes;
      });
      line.#join(near, far, up, (bytes) => {
        line.sent += bytes;
      });
    });
    return line;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  #join(from: Socket, to: Socket, pace: Pace, count: (bytes: number) => void): void {
    this.#sockets.add(from);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    // A connection that breaks on one side ends on the other, by `close`.
    from.on('error', () => {});
    const carry = async () => {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += PIECE) {
          const piece = chunk.subarray(at, at + PIECE);
          const arrives = await pace.take(piece.length);
          setTimeout(() => {
            count(piece.length);
            if (!to.destroyed) to.write(piece);
          }, arrives);
        }
      }
      setTimeout(() => to.end(), pace.delayMs);
    };
    carry().catch(() => to.destroy());
  }
}

/** One direction of the line: everything waits for what was sent before. */
class Pace {
  readonly delayMs: number;
  readonly #bytesPerMs: number;
  #free = 0;

  constructor({ bitsPerSecond, roundTripMs }: LineOptions) {
    this.#bytesPerMs = bitsPerSecond / 8000;
    this.delayMs = roundTripMs / 2;
  }

  /** Resolves when these bytes are on the line. @returns milliseconds until they arrive */
  async take(bytes: number): Promise<number> {
    const now = performance.now();
    this.#free = Math.max(this.#free, now) + bytes / this.#bytesPerMs;
    const wait = this.#free - now;
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    return this.delayMs;
  }
}
