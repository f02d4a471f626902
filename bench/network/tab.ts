import type { Browser, BrowserContext, Page } from '@playwright/test';
import type { Lab } from '../../e2e/lab/server.ts';
import type { Manifest } from '../../src/model/index.ts';
import { encodeManifest } from '../../src/model/index.ts';
import type { PeerAddress } from '../../src/swarm/index.ts';
import { MODEL_FILE } from '../model.ts';
import type { ChainRequest, ChainRun, RunRequest } from './web/client.ts';

/** Longer than any loss takes to be noticed; the tab is closed before. */
const FROZEN_MS = 120_000;

/** Where tabs come from: one browser, one page, one relay, one model. */
export interface Pool {
  browser: Browser;
  lab: Lab;
  /** Multiaddr of the relay. */
  relay: string;
  model: { manifest: Manifest; cid: string };
}

/** One tab in a browser context of its own: as far from the others as two people's are. */
export class BenchTab {
  private constructor(
    readonly page: Page,
    readonly address: PeerAddress,
    private readonly context: BrowserContext,
  ) {}

  /** Resolves when others can reach it. */
  static async open({ browser, lab, relay }: Pool): Promise<BenchTab> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(lab.url);
    await page.waitForFunction('window.peer !== undefined');
    const address = await page.evaluate((address) => window.peer.join(address), relay);
    return new BenchTab(page, address, context);
  }

  /** A tab that lends layers; resolves when they are announced. */
  static async host(pool: Pool, start: number, end: number): Promise<BenchTab> {
    const tab = await BenchTab.withModel(pool);
    await tab.page.evaluate(([start, end]) => window.peer.lend(start, end), [start, end] as const);
    return tab;
  }

  /** A tab that has the embedding, the front layers and the head. */
  static async client(pool: Pool): Promise<BenchTab> {
    const tab = await BenchTab.withModel(pool);
    await tab.page.evaluate(() => window.peer.loadClient());
    return tab;
  }

  private static async withModel(pool: Pool): Promise<BenchTab> {
    const tab = await BenchTab.open(pool);
    const encoded = new TextDecoder().decode(encodeManifest(pool.model.manifest));
    await tab.page.evaluate(([encoded, cid, file]) => window.peer.openModel(encoded, cid, file), [
      encoded,
      pool.model.cid,
      `/models/${MODEL_FILE}`,
    ] as const);
    return tab;
  }

  get peer(): string {
    return this.address.peer;
  }

  /** Opens a chain from this client, with nothing left of an earlier one. */
  async openChain(chain: ChainRequest): Promise<void> {
    await this.page.evaluate((chain) => window.peer.openChain(chain), chain);
  }

  /** Begins a run in a session of its own. */
  async start(run: RunRequest): Promise<void> {
    await this.page.evaluate((run) => window.peer.start(run), run);
  }

  /** Resolves when the run under way has at least so many tokens. */
  async reached(count: number): Promise<void> {
    await this.page.waitForFunction((count) => window.peer.count() >= count, count, { polling: 10 });
  }

  finish(): Promise<ChainRun> {
    return this.page.evaluate(() => window.peer.finish());
  }

  async run(run: RunRequest): Promise<ChainRun> {
    await this.start(run);
    return this.finish();
  }

  /** Milliseconds that this host's engines have worked since it began. */
  async computeMs(): Promise<number> {
    return (await this.page.evaluate(() => window.peer.counters())).computeMs;
  }

  /** Connects a bare RTCDataChannel to another tab, which echoes. */
  async bareTo(other: BenchTab, name: string): Promise<void> {
    const offer = await this.page.evaluate((name) => window.peer.bare.offer(name), name);
    const answer = await other.page.evaluate(([name, sdp]) => window.peer.bare.answer(name, sdp), [
      name,
      offer,
    ] as const);
    await this.page.evaluate(([name, sdp]) => window.peer.bare.accept(name, sdp), [name, answer] as const);
  }

  /** @returns milliseconds of each round trip over the bare channel */
  bareTrips(name: string, bytes: number, count: number): Promise<number[]> {
    return this.page.evaluate(([name, bytes, count]) => window.peer.bare.trips(name, bytes, count), [
      name,
      bytes,
      count,
    ] as const);
  }

  /** @returns milliseconds of each round trip over our stream to a peer that echoes */
  trips(to: PeerAddress, bytes: number, count: number): Promise<number[]> {
    return this.page.evaluate(([to, bytes, count]) => window.peer.trips(to, bytes, count), [
      to,
      bytes,
      count,
    ] as const);
  }

  /** Ends the tab as a user or a system does. A frozen one still has to be closed. */
  async end(how: 'closed' | 'frozen'): Promise<void> {
    if (how === 'closed') return this.close();
    const session = await this.context.newCDPSession(this.page);
    // It does not answer until the tab is closed.
    session
      .send('Runtime.evaluate', {
        expression: `for (const until = Date.now() + ${FROZEN_MS}; Date.now() < until; );`,
      })
      .catch(() => {});
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
