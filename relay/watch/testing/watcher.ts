import { type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface Heard {
  /** `comment` for a line that only keeps the connection. */
  event: string;
  data: string;
}

/** A client of server-sent events that remembers what it heard. */
export class Watcher {
  readonly heard: Heard[] = [];
  status = 0;
  ended = false;
  readonly #request: ClientRequest;
  #rest = '';
  #waiting: (() => void)[] = [];

  constructor(port: number, from = '127.0.0.1') {
    const headers = { 'x-from': from, Accept: 'text/event-stream' };
    this.#request = request({ host: '127.0.0.1', port, path: '/v1/network/live', headers, agent: false });
    this.#request.on('response', (response) => this.#take(response));
    this.#request.on('error', () => this.#end());
    this.#request.end();
  }

  /** Resolves as soon as that is so; the test's own timeout is the deadline. */
  async when(so: (watcher: this) => boolean): Promise<void> {
    while (!so(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#request.destroy();
  }

  #take(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const blocks = (this.#rest + text).split('\n\n');
      this.#rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event = 'comment'] = /^event: (.*)$/m.exec(block) ?? [];
        const [, data = ''] = /^data: (.*)$/m.exec(block) ?? [];
        if (!block.startsWith('retry:')) this.heard.push({ event, data });
      }
      this.#wake();
    });
    response.on('error', () => {});
    response.on('close', () => this.#end());
    this.#wake();
  }

  #end(): void {
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
