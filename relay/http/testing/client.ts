import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Characters of `HTTP/1.1 200 `. */
const STATUS_LINE = 13;

/** A raw client whose own address is chosen: all of 127.0.0.0/8 is this machine. */
export class Client {
  /** All that came, as Latin-1. */
  text = '';
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #watchers: (() => void)[] = [];
  #answers = 0;
  #lastStatus = -1;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (part: Buffer) => {
      // The end of what came before may hold the beginning of a status line.
      const from = Math.max(0, this.text.length - STATUS_LINE + 1);
      this.text += part.toString('latin1');
      for (const { index } of this.text.slice(from).matchAll(/HTTP\/1\.1 \d{3} /g))
        if (from + index > this.#lastStatus) {
          this.#lastStatus = from + index;
          this.#answers++;
        }
      for (const check of this.#watchers) check();
    });
    socket.on('close', () => {
      for (const check of this.#watchers) check();
    });
    // A reset is one way for a server to refuse.
    socket.on('error', () => {});
  }

  /** Resolves when the connection is made; the server may close it at once. */
  static async at(port: number, localAddress = '127.0.0.1'): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const client = new Client(socket);
    await Promise.race([once(socket, 'connect'), client.closed]).catch(() => {});
    return client;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  get(path = '/', headers = ''): void {
    this.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  }

  /** Resolves when that many status lines came, or the connection closed. @returns how many came */
  async answers(count: number): Promise<number> {
    await this.until(() => this.#answers >= count);
    return this.#answers;
  }

  /** Resolves when that holds, or the connection closed. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds() && !this.socket.closed) return;
        this.#watchers = this.#watchers.filter((watcher) => watcher !== check);
        resolve();
      };
      this.#watchers.push(check);
      check();
    });
  }

  /** Status codes that came, in order. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  end(): void {
    this.socket.destroy();
  }
}
