import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Bootstrap } from '../src/swarm/index.ts';
import { RelayError } from './errors.ts';
import { allowCrossOrigin, answerPreflight, secure } from './headers.ts';
import type { ServePage } from './page.ts';
import { fail, sendFreshJson, sendJson } from './respond.ts';
import type { Shelf } from './shelf.ts';
import { guardUpgrades } from './upgrades.ts';

/** Times in milliseconds. */
export interface ServerLimits {
  /**
   * Sockets in all; past this, new ones are closed at once. A tab keeps one WebSocket, and uses at most six more while
   * it loads: room for the swarm's 2,000 clients and for 300 that load.
   */
  connections: number;
  /** A client has this long to send its headers (slowloris). */
  headers: number;
  /** A client has this long to send a whole request; none of ours has a body. */
  request: number;
  /** A socket on which nothing moves, in either direction, is closed. */
  idle: number;
  /** Longer than Node's 5 s, so that a tab that fetches tensor after tensor keeps its socket. */
  keepAlive: number;
  /** How long requests in flight may take to finish when the relay stops. */
  close: number;
}

const LIMITS: ServerLimits = {
  connections: 4096,
  headers: 10_000,
  request: 20_000,
  idle: 60_000,
  keepAlive: 15_000,
  close: 5_000,
};

export interface ServerOptions {
  page: ServePage;
  shelf: Shelf;
  /** More fields for /healthz, such as what is being prepared. */
  health?: () => Record<string, unknown>;
  /** What a page needs to join the network, for /network.json; null when this relay is no member of it. */
  network?: () => Promise<NetworkDescription | null>;
}

/** How a page joins the network at this relay. */
export interface NetworkDescription extends Bootstrap {
  /** Multiaddrs beside the path on this server, where the operator has given any. */
  addresses: string[];
}

export interface RelayServer {
  readonly port: number;
  /** For the swarm, which takes its WebSockets. */
  readonly http: Server;
  /** Stops accepting; requests in flight get five seconds. */
  close(): Promise<void>;
}

/**
 * Serves the page, the models and /healthz on one port.
 * @throws RelayError `port-in-use`, `cannot-listen`
 */
export async function startServer(
  options: ServerOptions,
  port: number,
  host: string,
  limits: ServerLimits = LIMITS,
): Promise<RelayServer> {
  const inFlight = new Set<ServerResponse>();
  const server = createServer(
    {
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.keepAlive,
      // How often the two limits above are looked at; Node's default of 30 s would make them 40.
      connectionsCheckingInterval: Math.ceil(limits.headers / 4),
    },
    (request, response) => {
      inFlight.add(response);
      response.once('close', () => inFlight.delete(response));
      secure(response);
      answer(options, request, response).catch((error: unknown) => {
        console.error(`${request.method} ${request.url?.slice(0, 200)}:`, error);
        fail(response, 500);
      });
    },
  );
  const upgraded = guardUpgrades(server, limits.headers);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idle);
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    http: server,
    close: () => close(server, inFlight, upgraded, limits.close),
  };
}

async function answer(
  { page, shelf, health, network }: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const pathname = pathOf(request.url ?? '');
  if (pathname === '/network.json' || pathname?.startsWith('/models/')) {
    allowCrossOrigin(response);
    if (request.method === 'OPTIONS') return answerPreflight(response);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    // A body may follow that nobody will read.
    response.setHeader('Connection', 'close');
    return fail(response, 405, 'Only GET and HEAD.');
  }
  if (pathname === null) return fail(response, 400, 'That is no path.');
  if (pathname === '/network.json') {
    const description = await network?.();
    if (description) return sendFreshJson(response, description);
    return fail(response, 503, 'This relay is not in the network. Its log says why.');
  }
  if (pathname === '/healthz') {
    return sendJson(request, response, { status: 'ok', models: shelf.list().length, ...health?.() });
  }
  if (pathname.startsWith('/models/')) {
    const segments = decode(pathname.slice('/models/'.length).split('/'));
    return segments ? shelf.serve(request, response, segments) : fail(response, 400, 'That is no path.');
  }
  const [decoded] = decode([pathname]) ?? [];
  if (decoded === undefined) return fail(response, 400, 'That is no path.');
  if (!page(request, response, decoded)) fail(response, 404, 'There is nothing here.');
}

/** The path of a request target, still percent-encoded; null for what is not an origin-form path. */
function pathOf(target: string): string | null {
  if (!target.startsWith('/')) return null;
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function decode(segments: string[]): string[] | null {
  try {
    const decoded = segments.map(decodeURIComponent);
    return decoded.some((segment) => segment.includes('\0')) ? null : decoded;
  } catch {
    return null;
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
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
    });
    server.listen(port, host, resolve);
  });
}

async function close(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  upgraded: ReadonlySet<Duplex>,
  patience: number,
): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const force = setTimeout(() => {
    server.closeAllConnections();
    // Node does not count these among its connections any more, but waits for them.
    for (const socket of upgraded) socket.destroy();
  }, patience);
  await Promise.all([...inFlight].map((response) => once(response, 'close')));
  // What is left has no request: kept alive, or opened ahead of need by a browser.
  server.closeAllConnections();
  await closed;
  clearTimeout(force);
}
