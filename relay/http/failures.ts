import { fail } from '../respond.ts';
import type { Call, Route } from './types.ts';

/** How a request is refused, in whatever form its route uses. */
export interface Failure {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/** Tells a failure, once. An answer that has begun is cut off instead, so that nobody takes it for a whole one. */
export function tell(route: Route | null, call: Call, { status, code, message, headers }: Failure): void {
  const { request, response } = call;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  // A body may follow that nobody will read.
  if (announcesBody(call)) response.setHeader('Connection', 'close');
  if (request.method !== 'HEAD' && route?.fail) route.fail(call, status, code, message);
  if (!response.headersSent && !response.writableEnded) fail(response, status, message);
}

export function announcesBody({ request: { headers } }: Pick<Call, 'request'>): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && !/^0+$/.test(length));
}

/** Codes of errors that follow from a client's hanging up. */
const HUNG_UP = ['ABORT_ERR', 'aborted', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

export function isHangUp(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return error === signal.reason || name === 'AbortError' || HUNG_UP.includes(String(code));
}

/**
 * Kind and place of an error nobody foresaw, without its message: that may quote what a stranger sent, as JSON.parse
 * does.
 */
export function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return [error.name, ...frames.slice(0, 3).map((frame) => frame.trim())].join(' ');
}
