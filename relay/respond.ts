import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import send from 'send';
import { REVALIDATE } from './headers.ts';

/** A short text error. `Content-Length` is exact, so that the connection can be used again. */
export function fail(
  response: ServerResponse,
  status: number,
  message = STATUS_CODES[status] ?? 'Error',
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of ['Content-Encoding', 'Content-Range', 'ETag', 'Last-Modified']) {
    // A 416 tells the size in Content-Range.
    if (!(status === 416 && name === 'Content-Range')) response.removeHeader(name);
  }
  const body = Buffer.from(`${message}\n`);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

/** JSON from memory, with a strong ETag, so that asking again costs a 304. */
export function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  sendBytes(
    request,
    response,
    Buffer.from(JSON.stringify(value)),
    'application/json; charset=utf-8',
    REVALIDATE,
  );
}

/** JSON that is true only now. */
export function sendFreshJson(response: ServerResponse, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  type: string,
  cacheControl: string,
): void {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', cacheControl);
  response.setHeader('ETag', etag);
  if (listed(request.headers['if-none-match'], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader('Content-Length', body.byteLength);
  response.end(body);
}

/**
 * A file by its absolute path: single ranges (206, 416), If-Range, HEAD, conditional requests.
 * Headers set before (Content-Type, ETag, Cache-Control) are kept.
 */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  acceptRanges: boolean,
) {
  send(request, encodeURI(path).replace(/[?#]/g, encodeURIComponent), {
    acceptRanges,
    cacheControl: false,
    index: false,
    // The path comes from a list made at start, never from the request.
    dotfiles: 'allow',
    // The platform's clocks differ; the ETag is what counts.
    lastModified: false,
  })
    .on('error', (error: { status?: number; headers?: Record<string, string> }) => {
      const range = error.headers?.['Content-Range'];
      if (range) response.setHeader('Content-Range', range);
      fail(response, error.status ?? 500);
    })
    .on('directory', () => fail(response, 404))
    .pipe(response);
}

function listed(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((entry) => ['*', etag, `W/${etag}`].includes(entry.trim())) ?? false;
}
