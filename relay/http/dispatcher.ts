import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { RelayError } from '../errors.ts';
import type { Guard, RefusalReason } from '../guard/guard.ts';
import { allowCrossOrigin, answerPreflight, secure } from '../headers.ts';
import type { Log, Meters } from '../watch/types.ts';
import type { Calls, Running } from './calls.ts';
import { checkShape } from './checks.ts';
import { type Failure, isHangUp, placeOf, tell } from './failures.ts';
import { parseTarget } from './path.ts';
import type { Call, Route } from './types.ts';

export interface DispatcherOptions {
  routes: readonly Route[];
  guard: Guard;
  calls: Calls;
  meters: Meters;
  log: Log;
  /** True when plain HTTP is sent on to https. */
  httpsOnly: () => boolean;
}

type Method = Route['methods'][number];

/** Seconds after which a relay that was stopped is usually back. */
const BACK_AFTER = '10';
/** What a Host header may be made of before it is put into a Location. */
const HOST = /^[\w.:[\]-]{1,255}$/;
const MALFORMED: Failure = { status: 400, code: 'malformed', message: 'That is no path.' };
const NOTHING: Failure = { status: 404, code: 'not-found', message: 'There is nothing here.' };

/** Takes every request through the same doors, and to the first route that matches. */
export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    // The rest of a packet whose socket was destroyed.
    if (request.socket.destroyed) return;
    const running = this.#options.calls.begin(request, response);
    if (!running) {
      this.#options.guard.refused('pipelining');
      request.socket.destroy();
      return;
    }
    void this.#answer(running);
  };

  /** Never rejects. */
  async #answer(running: Running): Promise<void> {
    const { guard, routes, httpsOnly } = this.#options;
    const { request, response } = running;
    const started = performance.now();
    const encrypted = (request.socket as Partial<TLSSocket>).encrypted === true;
    secure(response, encrypted && httpsOnly() && !isLocal(request.headers.host));
    const target = parseTarget(request.url ?? '');
    const call: Call = {
      request,
      response,
      ...(target ?? { path: '', segments: [], query: new URLSearchParams() }),
      address: guard.addressOf(request),
      signal: running.abort.signal,
    };
    let route: Route | null = null;
    try {
      const matching = target ? routes.filter((candidate) => candidate.matches(target.path)) : [];
      const method = request.method === 'HEAD' ? 'GET' : (request.method as Method);
      const taken = matching.find(({ methods }) => methods.includes(method));
      route = taken ?? matching[0] ?? null;
      running.isWork = route?.kind !== 'light';
      this.#measure(response, route, started);
      // For example a write after the end; nobody else listens, and it would end the process.
      response.on('error', (error) => {
        this.#failed(error, route, call);
        response.destroy();
      });
      if (route?.crossOrigin) allowCrossOrigin(response);
      const failure = await this.#refusal(running, route, call, encrypted);
      // It may have hung up meanwhile.
      if (response.destroyed || response.closed) return;
      if (failure) return tell(route, call, failure);
      if (request.method === 'OPTIONS' && route?.crossOrigin)
        return answerPreflight(request, response, allowed(matching));
      if (!taken) return tell(route, call, noRoute(request, matching, target !== null));
      const held = this.#held(taken, method);
      if (held) return tell(taken, call, held);
      await taken.handle(call);
    } catch (error) {
      this.#failed(error, route, call);
    }
  }

  /** The doors before the routes. */
  async #refusal(
    running: Running,
    route: Route | null,
    call: Call,
    encrypted: boolean,
  ): Promise<Failure | null> {
    const { guard, calls, httpsOnly } = this.#options;
    const shape = checkShape(call.request);
    if (shape) return this.#refused('malformed', shape);
    if (calls.count(running, call.address) > guard.requestsAtOnce)
      return this.#refused(
        'requests-at-once',
        tooMany('Too many requests at once from this address.', 1_000),
      );
    const isCounted = route?.kind !== 'light' && (route?.kind !== 'api' || call.request.method === 'OPTIONS');
    if (isCounted) {
      const wait = await guard.requests.take(call.address);
      if (wait > 0) return this.#refused('requests', tooMany('Too many requests from this address.', wait));
    }
    return !encrypted && httpsOnly() ? moved(call.request) : null;
  }

  /** What a relay that stops, or is short of memory, does not begin. */
  #held(route: Route, method: Method): Failure | null {
    const { guard } = this.#options;
    if (route.kind === 'light') return null;
    // Pages and files are read from the disk piece by piece: they need next to no memory.
    if (!guard.draining && !(route.kind === 'api' && method === 'POST')) return null;
    const message = guard.hold().why();
    if (message === null) return null;
    const headers: Record<string, string> = { 'Retry-After': BACK_AFTER };
    if (guard.draining) headers.Connection = 'close';
    const reason = guard.draining ? 'draining' : 'memory';
    return this.#refused(reason, { status: 503, code: reason, message, headers });
  }

  #refused(reason: RefusalReason, failure: Failure): Failure {
    this.#options.guard.refused(reason);
    return failure;
  }

  #measure(response: ServerResponse, route: Route | null, started: number): void {
    const { meters } = this.#options;
    const label = route?.label ?? (route?.kind === 'light' ? 'watch' : (route?.kind ?? 'other'));
    response.once('close', () => {
      if (!response.headersSent) return;
      const status = `${Math.floor(response.statusCode / 100)}xx`;
      meters.count('shoal_http_requests_total', { route: label, status });
      const isStream = String(response.getHeader('content-type')).startsWith('text/event-stream');
      if (!isStream && response.writableFinished)
        meters.observe('shoal_http_seconds', { route: label }, (performance.now() - started) / 1000);
    });
  }

  #failed(error: unknown, route: Route | null, call: Call): void {
    const { log, meters } = this.#options;
    if (isHangUp(error, call.signal)) return;
    const known = error instanceof RelayError;
    meters.count('shoal_errors_total', { room: 'http', code: known ? error.code : 'unforeseen' });
    log.error('A request could not be answered.', {
      route: route?.label ?? route?.kind ?? 'other',
      method: call.request.method,
      error: known ? error.message : placeOf(error),
    });
    try {
      tell(route, call, { status: 500, code: 'failed', message: 'This relay failed. Its log says why.' });
    } catch {
      // The route cannot even tell its error, and that one was logged.
      call.response.destroy();
    }
  }
}

function allowed(routes: readonly Route[]): string[] {
  const methods = new Set(routes.flatMap((route) => route.methods as readonly string[]));
  return [...methods].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function noRoute(request: IncomingMessage, matching: readonly Route[], isPath: boolean): Failure {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && matching.length === 0) return isPath ? NOTHING : MALFORMED;
  const methods = matching.length > 0 ? allowed(matching) : ['GET', 'HEAD'];
  const message = `Only ${methods.join(' and ')}.`;
  return { status: 405, code: 'method-not-allowed', message, headers: { Allow: methods.join(', ') } };
}

function tooMany(message: string, waitMs: number): Failure {
  const headers = { 'Retry-After': String(Math.ceil(waitMs / 1000)) };
  return { status: 429, code: 'too-many-requests', message, headers };
}

function moved({ headers, url = '/' }: IncomingMessage): Failure {
  const { host = '' } = headers;
  if (!HOST.test(host) || !url.startsWith('/'))
    return { status: 400, code: 'https-only', message: 'This port speaks https.' };
  const location = `https://${host}${url}`;
  return { status: 308, code: 'https-only', message: 'Use https.', headers: { Location: location } };
}

/** Browsers would ask for https on every port of this machine for as long as the header says. */
function isLocal(host = ''): boolean {
  return /^(localhost|127\.|\[::1\])/i.test(host);
}
