import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server does wrong, if anything. */
export type Misbehaviour = 'no-ranges' | 'stall' | 'short' | 'wrong-bytes' | 'error';

export interface FileServer {
  url: string;
  /** Bytes of bodies sent so far. */
  sent(): number;
  /** Ranges asked for so far, as sent by the client. */
  ranges: string[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback that serves files from memory by path. */
export async function serveFiles(
  files: Readonly<Record<string, Uint8Array>>,
  behaviour: Misbehaviour | ((asked: string) => Misbehaviour | null) | null = null,
): Promise<FileServer> {
  let sent = 0;
  const ranges: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = files[path];
    const asked = request.headers.range ?? '';
    ranges.push(asked);
    const fault = typeof behaviour === 'function' ? behaviour(asked) : behaviour;
    if (!file || fault === 'error') return response.writeHead(file ? 503 : 404).end();
    const match = fault === 'no-ranges' ? null : /^bytes=(\d+)-(\d+)$/.exec(asked);
    const start = match ? Number(match[1]) : 0;
    const end = match ? Math.min(Number(match[2]) + 1, file.length) : file.length;
    let body = file.slice(start, end);
    if (fault === 'wrong-bytes' && end - start > 1) body = body.map((byte) => byte ^ 1);
    const headers = { 'Content-Length': body.length, ETag: '"1"' };
    if (match)
      response.writeHead(206, { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${file.length}` });
    else response.writeHead(200, headers);
    if (fault === 'stall' && body.length > 1) return response.write(body.subarray(0, body.length / 2));
    if (fault === 'short' && body.length > 1) {
      response.write(body.subarray(0, body.length / 2), () => response.destroy());
      return;
    }
    sent += body.length;
    return response.end(body);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    ranges,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
