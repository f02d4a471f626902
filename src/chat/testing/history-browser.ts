import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, JSHandle } from '@playwright/test';
import { build } from 'vite';
import { launchChromium } from '../../../e2e/lab/launch.ts';
import type { IndexedDbHistory } from '../web.ts';

const PAGE = `<!doctype html><title>history</title><script type="module">
import { IndexedDbHistory } from '/history.js';
globalThis.openHistory = () => new IndexedDbHistory();
</script>`;

/** A browser, and a server of a page that can open the history. */
export class HistoryBrowser {
  readonly address: string;
  readonly #browser: Browser;
  readonly #server: Server;
  #context: BrowserContext | null = null;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async start(): Promise<HistoryBrowser> {
    const code = await historyCode();
    const browser = await launchChromium();
    const server = createServer((request, response) => {
      const script = request.url === '/history.js';
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
      response.end(script ? code : PAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HistoryBrowser(browser, server);
  }

  /** A profile that keeps nothing yet, in place of the one before. */
  async newProfile(): Promise<BrowserContext> {
    await this.#context?.close();
    this.#context = await this.#browser.newContext();
    return this.#context;
  }

  /** A tab of the profile, with a history as the page would make it. */
  readonly openTab = async () => {
    if (!this.#context) throw new Error('No profile was made.');
    const page = await this.#context.newPage();
    await page.goto(this.address);
    const history = (await page.evaluateHandle('openHistory()')) as JSHandle<IndexedDbHistory>;
    return { page, history };
  };

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}

/** The history and all that it imports, as one module for a browser. */
async function historyCode(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('../web.ts', import.meta.url)),
        formats: ['es'],
        fileName: 'history',
      },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !('output' in bundle)) throw new Error('nothing was built');
  return bundle.output[0].code;
}
