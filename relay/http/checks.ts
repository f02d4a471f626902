import type { IncomingMessage } from 'node:http';
import { announcesBody, type Failure } from './failures.ts';

/** Bytes of all headers of a request: Node's default, written down because it is a promise. */
export const MOST_HEADER_BYTES = 16 * 1024;
/** Browsers send about 20, behind two proxies 35. Node keeps quiet about those beyond `maxHeadersCount`. */
export const MOST_HEADERS = 100;
const BODYLESS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/**
 * Shapes that Node lets pass and that two servers in a row could read differently. A request with both a length and
 * chunks, or with two lengths, Node refuses itself.
 */
export function checkShape(request: IncomingMessage): Failure | null {
  const { rawHeaders, method = '', httpVersionMajor } = request;
  // Node also reads HTTP/0.9, which no proxy sends.
  if (httpVersionMajor !== 1) return malformed('Only HTTP/1.1 and HTTP/1.0.');
  if (rawHeaders.length / 2 > MOST_HEADERS) {
    const message = `At most ${MOST_HEADERS} headers are taken.`;
    return { status: 431, code: 'too-many-headers', message, headers: { Connection: 'close' } };
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (/^host$/i.test(rawHeaders[i]!)) hosts++;
  if (hosts > 1) return malformed('Two Host headers.');
  if (BODYLESS.includes(method) && announcesBody({ request })) return malformed(`${method} takes no body.`);
  return null;
}

function malformed(message: string): Failure {
  return { status: 400, code: 'malformed', message, headers: { Connection: 'close' } };
}
