import type { Browser, BrowserContext, Page } from '@playwright/test';
import type { Message, Provenance, Shoal, ShoalOptions } from '../../src/sdk/index.ts';

/** What a page of these tests holds beside the document. */
interface Lab {
  shoal: Shoal;
  /** Every RTCPeerConnection that the page made. */
  connections: RTCPeerConnection[];
  /** Bytes handed to data channels and WebSockets, and addresses fetched; only while `recording`. */
  sent: Uint8Array[];
  recording: boolean;
  /** Answers under way, by name. */
  pending: Map<string, Promise<Outcome>>;
  /** Tokens of those answers so far, and the peers that compute them; absent before the first chunk. */
  progress: Map<string, { tokens: number; peers: string[] }>;
}

export interface Ask {
  messages: Message[];
  max_tokens: number;
  privacy?: 'private' | 'light';
  route?: 'network' | 'local';
  temperature?: number;
  seed?: number;
}

export interface Outcome {
  text: string;
  shoal: Provenance;
  finish: string | null;
}

/** One tab in a browser context of its own: as far from the others as two people's are. */
export class Tab {
  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {}

  static async open(browser: Browser, relay: string, options: ShoalOptions = {}): Promise<Tab> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(keepConnections);
    // A document of the relay's that starts nothing by itself.
    await page.goto(`${relay}/manifest.webmanifest`);
    await page.evaluate(
      async (given) => {
        const address = '/sdk.js';
        const { createShoal } = await import(address);
        const shoal: Shoal = createShoal(given);
        Object.assign(window, { shoal, pending: new Map(), progress: new Map() });
      },
      { model: false as const, backends: ['wasm' as const], threads: 1, ...options },
    );
    return new Tab(page, context);
  }

  /** Lends layers of the relay's model; resolves when they are announced. @returns the peer id */
  async share(start: number, end: number, memory?: number): Promise<string> {
    return this.page.evaluate(
      async ([start, end, memory]) => {
        const { shoal } = window as unknown as Lab;
        await shoal.share({ layers: [start, end], memory });
        return (await shoal.network()).self!.peer;
      },
      [start, end, memory] as const,
    );
  }

  /** Starts an answer that `finish` waits for. */
  async start(name: string, ask: Ask): Promise<void> {
    await this.page.evaluate(
      ([name, ask]) => {
        const { shoal, pending, progress } = window as unknown as Lab;
        const run = async (): Promise<Outcome> => {
          const outcome: Partial<Outcome> & { text: string } = { text: '' };
          const stream = await shoal.chat.completions.create({
            route: 'network',
            temperature: 0,
            ...ask,
            stream: true,
          });
          for await (const chunk of stream) {
            outcome.text += chunk.choices[0]?.delta.content ?? '';
            outcome.shoal = chunk.shoal;
            outcome.finish = chunk.choices[0]?.finish_reason ?? null;
            progress.set(name, {
              tokens: chunk.shoal.token_ids.length,
              peers: chunk.shoal.hops.map(({ peer }) => peer),
            });
          }
          return outcome as Outcome;
        };
        progress.delete(name);
        const answer = run();
        answer.catch(() => {});
        pending.set(name, answer);
      },
      [name, ask] as const,
    );
  }

  /** Resolves when that answer has at least so many tokens; 0: when a part of its prompt came through the chain. */
  async reached(name: string, count: number): Promise<{ tokens: number; peers: string[] }> {
    const found = await this.page.waitForFunction(
      ([name, count]) => {
        const state = (window as unknown as Lab).progress.get(name);
        return state && state.tokens >= count ? state : null;
      },
      [name, count] as const,
      { polling: 10 },
    );
    return (await found.jsonValue())!;
  }

  async finish(name: string): Promise<Outcome> {
    return this.page.evaluate(
      (name) =>
        (window as unknown as Lab).pending.get(name)!.catch((error: unknown) => {
          const { code, message } = error as { code?: string; message: string };
          throw new Error(`${code}: ${message}`);
        }),
      name,
    );
  }

  async ask(ask: Ask): Promise<Outcome> {
    await this.start('only', ask);
    return this.finish('only');
  }

  network() {
    return this.page.evaluate(() => (window as unknown as Lab).shoal.network());
  }

  /** Candidate types and states of this tab's connected RTCPeerConnections. */
  async pairs(): Promise<{ local: string; remote: string; sent: number; received: number }[]> {
    return this.page.evaluate(async () => {
      const found: { local: string; remote: string; sent: number; received: number }[] = [];
      for (const connection of (window as unknown as Lab).connections) {
        if (connection.connectionState !== 'connected') continue;
        // biome-ignore lint/suspicious/noExplicitAny: statistics have no types of their own.
        const stats = new Map<string, any>();
        // biome-ignore lint/suspicious/noExplicitAny: as above
        (await connection.getStats()).forEach((value: any) => {
          stats.set(value.id, value);
        });
        for (const value of stats.values()) {
          if (value.type !== 'transport') continue;
          const pair = stats.get(value.selectedCandidatePairId);
          if (!pair) continue;
          found.push({
            local: stats.get(pair.localCandidateId)?.candidateType,
            remote: stats.get(pair.remoteCandidateId)?.candidateType,
            sent: value.bytesSent,
            received: value.bytesReceived,
          });
        }
      }
      return found;
    });
  }

  async record(on: boolean): Promise<void> {
    await this.page.evaluate((on) => {
      Object.assign(window, { recording: on });
    }, on);
  }

  /** Everything recorded since the last call, as one base64 text per piece. */
  async recorded(): Promise<Buffer[]> {
    const pieces = await this.page.evaluate(() => {
      const lab = window as unknown as Lab;
      const sent = lab.sent.splice(0);
      return sent.map((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    });
    return pieces.map((piece) => Buffer.from(piece, 'latin1'));
  }

  /** Ends the tab in one of the ways a tab ends. A frozen one still has to be closed. */
  async end(how: 'closed' | 'crashed' | 'frozen'): Promise<void> {
    if (how === 'closed') return this.close();
    const session = await this.context.newCDPSession(this.page);
    // Neither of these two answers.
    if (how === 'crashed') session.send('Page.crash').catch(() => {});
    else {
      session
        .send('Runtime.evaluate', {
          expression: 'for (const until = Date.now() + 120000; Date.now() < until; );',
        })
        .catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Runs in the page before anything else. */
export function keepConnections(): void {
  const connections: RTCPeerConnection[] = [];
  const sent: Uint8Array[] = [];
  Object.assign(window, { connections, sent, recording: false });
  const keep = (data: unknown) => {
    if (!Reflect.get(window, 'recording')) return;
    if (typeof data === 'string') sent.push(new TextEncoder().encode(data));
    else if (data instanceof ArrayBuffer) sent.push(new Uint8Array(data.slice(0)));
    else if (ArrayBuffer.isView(data))
      sent.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
    else throw new Error('The recorder does not know this kind of data.');
  };
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };
  const sendOn = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: never) {
    keep(data);
    return sendOn.call(this, data);
  };
  const sendOver = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    keep(data);
    return sendOver.call(this, data);
  };
  const fetchFrom = window.fetch;
  window.fetch = (input, init) => {
    keep(String(input instanceof Request ? input.url : input));
    if (init?.body) keep(init.body);
    return fetchFrom(input, init);
  };
}
