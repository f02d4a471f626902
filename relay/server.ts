import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RelayError } from './errors.ts';
import type { Guard } from './guard/guard.ts';
import { Calls } from './http/calls.ts';
import { MOST_HEADER_BYTES, MOST_HEADERS } from './http/checks.ts';
import { Dispatcher } from './http/dispatcher.ts';
import { type SettleOptions, settle } from './http/settle.ts';
import type { Route } from './http/types.ts';
import { TlsListener } from './tls/listener.ts';
import type { TlsSource } from './tls/source.ts';
import { guardUpgrades } from './upgrades.ts';
import type { Log, Meters } from './watch/types.ts';

export type { NetworkDescription } from './http/network-route.ts';

/** Times in milliseconds. How many may come, and from where, is the guard's matter. */
export interface ServerLimits {
  /** A client has this long to send its headers (slowloris), or to finish a TLS handshake. */
  headers: number;
  /** A client has this long to send a whole request. The API cuts its bodies off after 60 s; this is for the rest. */
  request: number;
  /** A socket on which nothing moves, in either direction, is closed, unless its answer is still being worked on. */
  idle: number;
  /** Longer than Node's 5 s, so that a tab that fetches tensor after tensor keeps its socket. */
  keepAlive: number;
  /** How long requests in flight, and WebSockets, may take to finish when the relay closes. */
  close: number;
}

const LIMITS: ServerLimits = {
  headers: 10_000,
  request: 90_000,
  idle: 60_000,
  keepAlive: 15_000,
  close: 5_000,
};

/** Until the kernel asks whether a silent client still lives. Milliseconds. */
const PROBE_AFTER = 30_000;
/** For answers to say goodbye once their time is over. Milliseconds. */
const LAST_WORDS = 250;

export interface ServerOptions {
  /** The first that matches answers. */
  routes: readonly Route[];
  port: number;
  host: string;
  guard: Guard;
  meters: Meters;
  log: Log;
  /** With one, the port speaks https; see `TlsSource.plainHttp` for plain HTTP. */
  tls?: TlsSource;
  limits?: Partial<ServerLimits>;
}

export type DrainOptions = Omit<SettleOptions, 'which'>;

export interface RelayServer {
  readonly port: number;
  /** For the swarm, which takes its WebSockets: hears `upgrade`, plain and encrypted, after the guard. Never listens. */
  readonly http: Server;
  /** Requests under way; health, metrics and status do not count. */
  readonly running: number;
  /**
   * Takes no new work, finishes what runs, then closes the port. WebSockets stay until the swarm or `close` ends them.
   * Health and status are answered until `until` and the last request have ended. Never rejects.
   */
  drain(options: DrainOptions): Promise<void>;
  /** Closes everything; requests in flight get five seconds. Also cuts a drain short to that. Never rejects. */
  close(): Promise<void>;
}

/**
 * Serves the routes over HTTP, and HTTPS, on one port.
 * @throws RelayError `port-in-use`, `cannot-listen`
 */
export async function startServer(options: ServerOptions): Promise<RelayServer> {
  const { routes, port, host, guard, meters, log, tls } = options;
  const limits = { ...LIMITS, ...options.limits };
  const calls = new Calls();
  const httpsOnly = () => tls?.plainHttp === 'redirect' && tls.current() !== null;
  const { handle } = new Dispatcher({ routes, guard, calls, meters, log, httpsOnly });
  const server = createServer(
    {
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.keepAlive,
      // How often the first two are looked at; Node's default of 30 s would make them 40.
      connectionsCheckingInterval: Math.ceil(limits.headers / 4),
      maxHeaderSize: MOST_HEADER_BYTES,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER,
    },
    handle,
  );
  // One more than is taken, so that too many are seen.
  server.maxHeadersCount = MOST_HEADERS + 1;
  server.setTimeout(limits.idle, (socket: Socket) => {
    if (calls.isThinking(socket)) socket.setTimeout(limits.idle);
    else socket.destroy();
  });
  const door = createServer();
  const upgraded = guardUpgrades(server, door, { guard, patience: limits.headers, httpsOnly });
  const { sockets, closeTls } = guardSockets(server, guard, limits.headers, tls);
  await listen(server, port, host);
  // For example too many open files: the next connection may fare better.
  server.on('error', (error: NodeJS.ErrnoException) =>
    log.error('A connection could not be taken.', { code: error.code }),
  );

  const hurry = new AbortController();
  let closed: Promise<unknown> = Promise.resolve();
  let draining: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  const drain = async ({ signal, ...options }: DrainOptions) => {
    guard.drain();
    const cut = signal ? AbortSignal.any([signal, hurry.signal]) : hurry.signal;
    await settle(calls, { ...options, signal: cut });
    calls.abortAll(new DOMException('The relay stops.', 'AbortError'));
    await settle(calls, { patience: LAST_WORDS, which: 'all' });
    closed = new Promise((resolve) => server.close(resolve));
    // What is left has no request, or is deaf.
    server.closeAllConnections();
  };
  const close = async () => {
    const patience = setTimeout(() => hurry.abort(), limits.close);
    draining ??= drain({ patience: limits.close });
    await draining;
    // The swarm says goodbye to its peers meanwhile.
    while (upgraded.size > 0 && !hurry.signal.aborted) {
      const [socket] = upgraded;
      // Aborted: the patience is over.
      await once(socket!, 'close', { signal: hurry.signal }).catch(() => {});
    }
    const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.destroy();
    await Promise.all([closed, ...gone]);
    clearTimeout(patience);
    closeTls();
  };
  return {
    port: (server.address() as AddressInfo).port,
    http: door,
    get running() {
      return calls.work;
    },
    drain(options) {
      draining ??= drain(options);
      return draining;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Puts the limits on sockets, and TLS, between the port and HTTP. */
function guardSockets(server: Server, guard: Guard, patience: number, source: TlsSource | undefined) {
  const sockets = new Set<Socket>();
  // Node's own listener, which reads HTTP from a socket: nothing reaches it unseen.
  const [readHttp] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const serve = (socket: Socket) => readHttp!.call(server, socket);
  const tls = source ? new TlsListener({ source, patience, serve }) : null;
  server.on('connection', (socket: Socket) => {
    const { address, trusted } = guard.addresses.ofSocket(socket.remoteAddress);
    const refusal = guard.places.enter(address, trusted);
    if (refusal) {
      guard.refused(refusal);
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      guard.places.leave(address);
    });
    if (tls) tls.take(socket);
    else serve(socket);
  });
  return { sockets, closeTls: () => tls?.close() };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new RelayError(
              'port-in-use',
              `Port ${port} is in use. Choose another: npm start -- --port ${port + 1}`,
            )
          : new RelayError('cannot-listen', `Cannot listen on ${host} port ${port}: ${error.message}`, {
              cause: error,
            }),
      );
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
