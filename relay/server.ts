import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RelayError } from './errors.ts';
import { secure } from './headers.ts';
import type { ServePage } from './page.ts';
import { fail, sendJson } from './respond.ts';
import type { Shelf } from './shelf.ts';

/** Sockets in all. A tab uses at most six; past this, new ones are closed at once. */
const MAX_CONNECTIONS = 1024;
/** A client has this long to send its headers (slowloris). Milliseconds. */
const HEADERS_TIMEOUT = 10_000;
/** A client has this long to send a whole request; none of ours has a body. Milliseconds. */
const REQUEST_TIMEOUT = 20_000;
/** A socket on which nothing moves, in either direction, is closed. Milliseconds. */
const IDLE_TIMEOUT = 60_000;
/** Longer than the 5 s default, so that a tab that answers one prompt after another keeps its socket. Milliseconds. */
const KEEP_ALIVE_TIMEOUT = 15_000;
/** How long requests in flight may take to finish when the relay stops. Milliseconds. */
const CLOSE_TIMEOUT = 5_000;

export interface ServerOptions {
  page: ServePage;
  shelf: Shelf;
  /** More fields for /healthz, such as what is being prepared. */
  health?: () => Record<string, unknown>;
}

export interface RelayServer {
  readonly port: number;
  /** Stops accepting; requests in flight get five seconds. */
  close(): Promise<void>;
}

/**
 * Serves the page, the models and /healthz on one port.
 * @throws RelayError `port-in-use`, `cannot-listen`
 */
export async function startServer(options: ServerOptions, port: number, host: string): Promise<RelayServer> {
  const inFlight = new Set<ServerResponse>();
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
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
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT);
  await listen(server, port, host);
  return { port: (server.address() as AddressInfo).port, close: () => close(server, inFlight) };
}

async function answer(
  { page, shelf, health }: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    // A body may follow that nobody will read.
    response.setHeader('Connection', 'close');
    return fail(response, 405, 'Only GET and HEAD.');
  }
  const pathname = pathOf(request.url ?? '');
  if (pathname === null) return fail(response, 400, 'That is no path.');
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

async function close(server: Server, inFlight: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const force = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT);
  await Promise.all([...inFlight].map((response) => once(response, 'close')));
  // What is left has no request: kept alive, or opened ahead of need by a browser.
  server.closeAllConnections();
  await closed;
  clearTimeout(force);
}
