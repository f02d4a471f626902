import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secure } from '../../headers.ts';
import type { Call, Route } from '../../http/types.ts';

export interface Served {
  port: number;
  close(): Promise<void>;
}

/** Serves routes on a loopback port, as the relay does, without its limits. The header `x-from` is the client's address. */
export async function serve(routes: readonly Route[]): Promise<Served> {
  const stop = new AbortController();
  const server = createServer(async (request, response) => {
    secure(response);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const route = routes.find(({ matches }) => matches(url.pathname));
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    if (!route) {
      response.writeHead(404).end();
      return;
    }
    const call: Call = {
      request,
      response,
      path: url.pathname,
      segments: url.pathname.slice(1).split('/'),
      query: url.searchParams,
      address: addressOf(request),
      signal: AbortSignal.any([gone.signal, stop.signal]),
    };
    try {
      await route.handle(call);
    } catch {
      response.writeHead(500).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stop.abort();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function addressOf(request: IncomingMessage): string {
  const from = request.headers['x-from'];
  return typeof from === 'string' ? from : '127.0.0.1';
}
