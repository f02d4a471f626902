import type { BrowserContext, Page } from '@playwright/test';

/** What a page must never do, as seen from outside and from within. */
export class VisitRecorder {
  /** Addresses outside the page's origin, asked for by pages, workers and service workers. */
  readonly foreign: string[] = [];
  /** Directives that were violated, and what browsers write about it. */
  readonly violations: string[] = [];
  /** Exceptions that nobody caught. */
  readonly errors: string[] = [];

  private constructor(private readonly origin: string) {}

  /** @param origin the only one that may be asked */
  static async begin(context: BrowserContext, origin: string): Promise<VisitRecorder> {
    const recorder = new VisitRecorder(origin);
    context.on('request', (request) => recorder.#note(request.url()));
    context.on('console', (message) => {
      if (/content security policy/i.test(message.text())) recorder.violations.push(message.text());
    });
    context.on('weberror', (error) => recorder.errors.push(String(error.error())));
    context.on('page', (page) => page.on('websocket', (socket) => recorder.#note(socket.url())));
    await context.exposeBinding('recordViolation', (_source, directive: string) => {
      recorder.violations.push(directive);
    });
    await context.addInitScript(watchFromWithin);
    return recorder;
  }

  /** STUN and TURN servers that the page's connections were given so far, and how many connections there were. */
  async ice(page: Page): Promise<{ connections: number; servers: string[] }> {
    return page.evaluate(() => {
      const connections: RTCConfiguration[] = Reflect.get(window, 'rtcConfigurations');
      const servers = connections.flatMap(({ iceServers = [] }) => iceServers.flatMap(({ urls }) => urls));
      return { connections: connections.length, servers };
    });
  }

  #note(address: string): void {
    const url = new URL(address.replace(/^ws/, 'http'));
    if (url.protocol.startsWith('http') && url.origin !== this.origin) this.foreign.push(address);
  }
}

/** Runs in the page before anything else. */
function watchFromWithin(): void {
  const configurations: RTCConfiguration[] = [];
  Object.assign(window, { rtcConfigurations: configurations });
  document.addEventListener('securitypolicyviolation', (event) => {
    const { effectiveDirective, blockedURI, sourceFile } = event;
    void Reflect.get(window, 'recordViolation')(`${effectiveDirective} ${blockedURI} ${sourceFile}`);
  });
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration: RTCConfiguration = {}) {
      super(configuration);
      configurations.push(configuration);
    }
  };
}

/** What a strict policy would refuse in a document's own text: inline code, inline style, handlers in attributes. */
export function inlineParts(html: string): string[] {
  const found: string[] = [];
  for (const [tag, name = ''] of html.matchAll(/<([a-z][a-z0-9-]*)\b[^>]*>/gi)) {
    if (/^script$/i.test(name) && !/\ssrc=/i.test(tag)) found.push(tag);
    if (/^style$/i.test(name) || /\s(on[a-z]+|style|srcdoc)\s*=/i.test(tag) || /javascript:/i.test(tag))
      found.push(tag);
  }
  return found;
}
