import type { RelayConfig } from '../../config/types.ts';
import { Guard, type GuardOptions } from '../../guard/guard.ts';
import { type RelayServer, type ServerLimits, startServer } from '../../server.ts';
import type { TlsSource } from '../../tls/source.ts';
import type { Log, LogFields, Meters } from '../../watch/types.ts';
import type { Call, Route } from '../types.ts';

/** Keeps what was logged, one line each. */
export class LogBook implements Log {
  readonly lines: string[] = [];
  readonly #waiting: { pattern: RegExp; resolve: (line: string) => void }[] = [];

  debug = (message: string, fields?: LogFields) => this.#add('debug', message, fields);
  info = (message: string, fields?: LogFields) => this.#add('info', message, fields);
  warn = (message: string, fields?: LogFields) => this.#add('warn', message, fields);
  error = (message: string, fields?: LogFields) => this.#add('error', message, fields);
  with = () => this;

  /** The first line that fits, also one that is still to come. */
  said(pattern: RegExp): Promise<string> {
    const line = this.lines.find((one) => pattern.test(one));
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  #add(level: string, message: string, fields: LogFields = {}): void {
    const line = `${level} ${message} ${JSON.stringify(fields)}`;
    this.lines.push(line);
    for (const { pattern, resolve } of this.#waiting) if (pattern.test(line)) resolve(line);
  }
}

/** Keeps counts under `name label label`. */
export class Tally implements Meters {
  readonly counts = new Map<string, number>();

  count: Meters['count'] = (name, labels, by = 1) => {
    const key = [name, ...Object.values(labels)].join(' ');
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  };

  observe: Meters['observe'] = (name, labels) => this.count(name as never, labels as never);

  get(key: string): number {
    return this.counts.get(key) ?? 0;
  }
}

export const CONFIGURED: RelayConfig['limits'] = {
  connections: 4096,
  connectionsPerAddress: 512,
  requestsPerMinute: 6000,
  trustedProxies: ['loopback'],
  memoryShare: 0.9,
};

export interface Served {
  server: RelayServer;
  port: number;
  guard: Guard;
  log: LogBook;
  tally: Tally;
}

/** A real server on a free port of every loopback address. */
export async function serve(
  routes: readonly Route[],
  options: {
    limits?: Partial<RelayConfig['limits']>;
    times?: Partial<ServerLimits>;
    tls?: TlsSource;
    memory?: GuardOptions['memory'];
    handshakesPerSecond?: number;
  } = {},
): Promise<Served> {
  const log = new LogBook();
  const tally = new Tally();
  const { memory, handshakesPerSecond } = options;
  const limits = { ...CONFIGURED, ...options.limits };
  const guard = new Guard({ limits, meters: tally, log, memory, handshakesPerSecond });
  const server = await startServer({
    routes,
    port: 0,
    host: '0.0.0.0',
    guard,
    meters: tally,
    log,
    tls: options.tls,
    limits: options.times,
  });
  return { server, port: server.port, guard, log, tally };
}

/** A route for one path. */
export function route(
  path: string,
  handle: (call: Call) => void | Promise<void>,
  more: Partial<Route> = {},
): Route {
  return { methods: ['GET'], matches: (asked) => asked === path, handle, ...more };
}

/** Answers `ok`, and counts. */
export function counting(path = '/', more: Partial<Route> = {}): Route & { served: Map<string, number> } {
  const served = new Map<string, number>();
  const handle = ({ response, request }: Call) => {
    const from = request.socket.remoteAddress ?? '';
    served.set(from, (served.get(from) ?? 0) + 1);
    response.setHeader('Content-Length', 2);
    response.end('ok');
  };
  return { ...route(path, handle, more), served };
}
