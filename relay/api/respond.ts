import type { Call } from '../http/types.ts';
import type { ApiError } from './errors.ts';

/** Bytes of an unread body that are read and thrown away on a socket that is kept. */
const KEPT_SOCKET_BYTES = 64 * 1024;
/**
 * An answer that comes before the end of a large body is lost when the socket is closed at once: what is still on its way
 * makes the system reset it. So the rest is thrown away for a while first.
 */
const LINGER_BYTES = 32 * 1024 * 1024;
const LINGER_MS = 2_000;

export function sendJson({ response }: Call, status: number, value: object): void {
  const body = jsonBody(response, status, value);
  response.end(body);
}

/** Tells an error, unless something was sent before it. */
export function sendError(call: Call, error: ApiError): void {
  const { request, response } = call;
  if (response.headersSent || response.destroyed) return void response.destroy();
  for (const [name, value] of Object.entries(error.headers)) {
    response.setHeader(name, value);
  }
  const body = jsonBody(response, error.status, error.body());
  const length = request.headers['content-length'];
  const small =
    length === undefined ? !('transfer-encoding' in request.headers) : Number(length) <= KEPT_SOCKET_BYTES;
  // Node itself throws away the rest of a body that nobody reads.
  if (request.complete || (small && error.status !== 408)) return void response.end(body);
  response.setHeader('Connection', 'close');
  response.write(body);
  linger(call, error.status === 408 ? 0 : LINGER_MS);
}

function linger({ request, response }: Call, ms: number): void {
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    request.off('data', count).off('end', end).off('close', end);
    response.end();
  };
  const count = (part: Buffer) => {
    bytes += part.length;
    if (bytes > LINGER_BYTES) end();
  };
  const timer = setTimeout(end, ms);
  request.on('data', count).once('end', end).once('close', end);
}

function jsonBody(response: Call['response'], status: number, value: object): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  return body;
}
