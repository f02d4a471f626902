import type { BrowserContext, Page, Request } from '@playwright/test';
import { keepConnections } from '../network/tab.ts';

/** One HTTP request of a page, a worker or a service worker. */
export interface Asked {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body: Buffer | null;
  /** Of the service worker itself: what a page asks may be answered by it from what is kept. */
  byServiceWorker: boolean;
  /** Answered from what is kept, so that it did not leave. */
  kept: Promise<boolean>;
}

/** Everything that leaves one visitor’s browser: requests, WebSocket frames, messages of data channels. */
export class Outgoing {
  readonly asked: Asked[] = [];
  /** Frames of WebSockets, as they are sent: encrypted ones. */
  readonly frames: Buffer[] = [];
  readonly sockets: URL[] = [];
  /** Messages and frames of the traffic that was taken last, one by one. */
  parts: readonly Buffer[] = [];
  #seen = 0;

  private constructor(readonly page: Page) {}

  static async begin(context: BrowserContext): Promise<Outgoing> {
    await context.addInitScript(keepConnections);
    await context.addInitScript(() => Object.assign(window, { recording: true }));
    const page = await context.newPage();
    const outgoing = new Outgoing(page);
    context.on('request', (request) => outgoing.#note(request));
    page.on('websocket', (socket) => {
      outgoing.sockets.push(new URL(socket.url()));
      socket.on('framesent', ({ payload }) => outgoing.frames.push(Buffer.from(payload)));
    });
    return outgoing;
  }

  /**
   * All that left since the last call, in one piece: what scripts of the page handed to data channels, WebSockets and
   * `fetch`, the frames that WebSockets sent, and all requests.
   */
  async traffic(): Promise<Buffer> {
    const pieces = await this.page.evaluate(() => {
      const sent: Uint8Array[] = Reflect.get(window, 'sent').splice(0);
      return sent.map((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    });
    this.parts = [...pieces.map((piece) => Buffer.from(piece, 'latin1')), ...this.frames.splice(0)];
    const asked = this.asked.slice(this.#seen).map(textOf);
    this.#seen = this.asked.length;
    return Buffer.concat([...this.parts, Buffer.from(asked.join('\n'))]);
  }

  /** STUN and TURN servers that connections were given, and how many connections there are. */
  async ice(): Promise<{ connections: number; servers: unknown[] }> {
    return this.page.evaluate(() => {
      const connections: RTCPeerConnection[] = Reflect.get(window, 'connections');
      const servers = connections.flatMap((one) => one.getConfiguration().iceServers ?? []);
      return { connections: connections.length, servers };
    });
  }

  #note(request: Request): void {
    const url = new URL(request.url());
    if (!url.protocol.startsWith('http')) return;
    this.asked.push({
      method: request.method(),
      url,
      headers: request.headers(),
      body: request.postDataBuffer(),
      byServiceWorker: request.serviceWorker() !== null,
      kept: request.response().then(
        (response) => response?.fromServiceWorker() ?? false,
        () => false,
      ),
    });
    const at = this.asked.at(-1)!;
    // Those that the browser adds at the last moment, cookies among them.
    request.allHeaders().then(
      (headers) => Object.assign(at, { headers }),
      () => {},
    );
  }
}

function textOf({ method, url, headers, body }: Asked): string {
  return [method, url.href, JSON.stringify(headers), body ?? ''].join(' ');
}
