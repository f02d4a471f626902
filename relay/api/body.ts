import type { IncomingMessage } from 'node:http';
import { ApiError } from './errors.ts';

/** How slow a body may be. */
export interface BodyPace {
  /** Milliseconds without a byte. */
  silence: number;
  /** Milliseconds in all. */
  whole: number;
  /** Bytes per second, counted once `silence` is over: a client that drips one byte at a time holds a place for long. */
  bytesPerSecond: number;
}

export const PACE: BodyPace = { silence: 10_000, whole: 60_000, bytesPerSecond: 1024 };

/** Bytes of bodies that are held at once, of all clients together. */
export class BodyBudget {
  #held = 0;
  constructor(readonly limit: number) {}

  get held(): number {
    return this.#held;
  }

  /** @throws ApiError 503 */
  take(bytes: number): void {
    if (this.#held + bytes > this.limit) {
      throw new ApiError(503, 'overloaded', 'Too many large requests at once. Try again in a few seconds.', {
        retryAfter: 5,
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body and the way to give its memory back to the budget. */
export interface HeldBody {
  bytes: Buffer;
  /** May be called more than once. */
  release(): void;
}

/** Refuses by the headers alone what cannot be read. @throws ApiError 413, 415 */
export function checkBodyHeaders(request: IncomingMessage, maxBytes: number): void {
  const type = request.headers['content-type'] ?? '';
  const [media = '', ...parameters] = type.toLowerCase().split(';');
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean);
  if (media.trim() !== 'application/json' || (charset ?? 'utf-8') !== 'utf-8') {
    throw new ApiError(
      415,
      'unsupported_content_type',
      'Send JSON in UTF-8, as Content-Type: application/json.',
    );
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new ApiError(415, 'unsupported_content_encoding', 'Send the body without compression.');
  }
  // Node refuses a Content-Length that is no number.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/**
 * Reads a body whose headers were checked.
 * @param maxBytes what Content-Length says does not count: the bytes do
 * @param signal ends the reading
 * @throws ApiError 413 too large, 408 too slow, 503 over the budget, 400 cut off
 */
export function readBody(
  request: IncomingMessage,
  { maxBytes, budget, signal, pace = PACE }: ReadOptions,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    let taken = 0;
    let lastByte = performance.now();
    const started = lastByte;

    const release = () => {
      budget.give(taken);
      taken = 0;
    };
    const settle = () => {
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
    };
    const stop = (error: ApiError) => {
      settle();
      release();
      parts.length = 0;
      // What still comes is thrown away.
      request.resume();
      reject(error);
    };
    const onData = (part: Buffer) => {
      lastByte = performance.now();
      size += part.length;
      if (size > maxBytes) return stop(tooLarge(maxBytes));
      try {
        budget.take(part.length);
      } catch (error) {
        return stop(error as ApiError);
      }
      taken += part.length;
      parts.push(part);
    };
    const onEnd = () => {
      settle();
      resolve({ bytes: Buffer.concat(parts, size), release });
    };
    const cutOff = () => stop(new ApiError(400, 'incomplete_body', 'The body ended before its length.'));
    const onError = cutOff;
    const onClose = cutOff;
    const onAbort = cutOff;
    const watch = setInterval(
      () => {
        const now = performance.now();
        const ran = now - started;
        const slow = ran > pace.silence && (size * 1000) / ran < pace.bytesPerSecond;
        if (slow || now - lastByte > pace.silence || ran > pace.whole) {
          stop(
            new ApiError(408, 'request_timeout', 'The body came too slowly. Send it again.', {
              type: 'invalid_request_error',
            }),
          );
        }
      },
      Math.min(1000, pace.silence / 4),
    );

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

export interface ReadOptions {
  maxBytes: number;
  budget: BodyBudget;
  signal: AbortSignal;
  pace?: BodyPace;
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError(413, 'request_too_large', `The body is larger than ${maxBytes} bytes. Send less text.`);
}
