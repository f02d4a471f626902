import { throwIfAborted } from './checks.ts';
import { ModelError } from './errors.ts';
import { checkRange, fileNameOf } from './sources.ts';
import type { ByteSource } from './types.ts';
import { Watchdog } from './watchdog.ts';

/** A server that ignores ranges is accepted for files up to this size (config and tokenizer files), held in memory. */
const WHOLE_FILE_LIMIT = 8 * 1024 * 1024;
/** Silence after which a transfer is given up; a slow link that still moves is never cut. */
const DEFAULT_STALL_MS = 20_000;

/** What another try may mend at once. A transfer that stood still has had its time. */
const BROKEN: ReadonlySet<string> = new Set(['unreachable', 'truncated']);

export interface HttpOptions {
  signal?: AbortSignal;
  /** Milliseconds without a byte before `stalled`; default 20 s. */
  stallMs?: number;
}

/** A file behind a URL, read by range requests. */
export class HttpSource implements ByteSource {
  readonly name: string;
  readonly #url: string;
  readonly #stallMs: number;
  /** The whole file, from a server that ignores ranges. */
  readonly #whole: Uint8Array | null;

  private constructor(
    url: string,
    readonly size: number,
    stallMs: number,
    whole: Uint8Array | null,
  ) {
    this.#url = url;
    this.name = fileNameOf(url);
    this.#stallMs = stallMs;
    this.#whole = whole;
  }

  /**
   * Learns the size with one request.
   * @throws ModelError `not-found`, `unreachable`, `stalled`, `aborted`; `too-large` when the server cannot send
   * ranges of a large file
   */
  static async open(
    address: string | URL,
    { signal, stallMs = DEFAULT_STALL_MS }: HttpOptions = {},
  ): Promise<HttpSource> {
    const url = String(address);
    const exchange = await Exchange.start(url, { headers: { Range: 'bytes=0-0' } }, stallMs, signal);
    try {
      const { response } = exchange;
      if (response.status === 206) {
        const size = totalOf(response) ?? (await sizeByHead(url, stallMs, signal));
        return new HttpSource(url, size, stallMs, null);
      }
      // A range request on an empty file is "not satisfiable".
      if (response.status === 416) return new HttpSource(url, totalOf(response) ?? 0, stallMs, null);
      exchange.expectOk();
      const whole = await exchange.body(WHOLE_FILE_LIMIT);
      return new HttpSource(url, whole.length, stallMs, whole);
    } finally {
      exchange.end();
    }
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    checkRange(this, offset, length);
    if (this.#whole) return this.#whole.slice(offset, offset + length);
    if (length === 0) return new Uint8Array();
    try {
      return await this.#range(offset, length, signal);
    } catch (error) {
      // One broken transfer out of a hundred is what busy servers and radio links do; the second one is told.
      if (signal?.aborted || !(error instanceof ModelError) || !BROKEN.has(error.code)) throw error;
      return this.#range(offset, length, signal);
    }
  }

  async #range(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
    const exchange = await Exchange.start(this.#url, { headers }, this.#stallMs, signal);
    try {
      exchange.expectOk();
      if (exchange.response.status !== 206)
        throw new ModelError(
          'unreachable',
          `${this.#url} stopped answering range requests. Use another source.`,
        );
      const bytes = await exchange.body(length);
      if (bytes.length !== length)
        throw new ModelError(
          'truncated',
          `${this.#url} sent ${bytes.length} of ${length} bytes. Try again, or use another source.`,
        );
      return bytes;
    } finally {
      exchange.end();
    }
  }
}

/** One request, watched: it ends when the caller aborts or when nothing moves for `stallMs`. */
class Exchange {
  readonly #watchdog: Watchdog;
  #response: Response | undefined;

  private constructor(
    readonly url: string,
    readonly stallMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#watchdog = new Watchdog(url, signal);
  }

  static async start(
    url: string,
    init: RequestInit,
    stallMs: number,
    signal?: AbortSignal,
  ): Promise<Exchange> {
    const exchange = new Exchange(url, stallMs, signal);
    exchange.#watchdog.touch(stallMs);
    try {
      // What is read here is kept in our own store. A browser's cache of it would be a second copy, and Chromium's now
      // and then answers with another range than the one that was asked for.
      const request = { ...init, cache: 'no-store', signal: exchange.#watchdog.signal } as const;
      exchange.#response = await fetch(url, request);
      return exchange;
    } catch (cause) {
      exchange.end();
      throw exchange.#explain(cause);
    }
  }

  get response(): Response {
    return this.#response!;
  }

  expectOk(): void {
    const { status, ok } = this.response;
    if (ok) return;
    if (status === 404 || status === 410)
      throw new ModelError('not-found', `${this.url} does not exist. Check the address.`);
    throw new ModelError(
      'unreachable',
      `${this.url} answered with HTTP ${status}. Try later, or use another source.`,
    );
  }

  /** The body, at most `limit` bytes: a server that sends more is cut off. */
  async body(limit: number): Promise<Uint8Array> {
    const declared = Number(this.response.headers.get('content-length') ?? 0);
    if (declared > limit) throw tooLong(this.response, limit);
    const parts: Uint8Array[] = [];
    let length = 0;
    try {
      const reader = this.response.body?.getReader();
      for (;;) {
        this.#watchdog.touch(this.stallMs);
        const next = await reader?.read();
        if (!next || next.done) break;
        length += next.value.length;
        if (length > limit) throw tooLong(this.response, limit);
        parts.push(next.value);
      }
    } catch (cause) {
      throw this.#explain(cause);
    }
    if (parts.length === 1) return parts[0]!;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Frees the timer and the connection. */
  end(): void {
    this.#watchdog.end();
  }

  #explain(cause: unknown): ModelError {
    if (cause instanceof ModelError) return cause;
    const unreachable = new ModelError(
      'unreachable',
      `${this.url} cannot be reached. Check the connection and the address; ` +
        'in a page, the other site must allow cross-origin requests.',
      { cause },
    );
    return this.#watchdog.explain(unreachable);
  }
}

function tooLong({ url, status, headers }: Response, limit: number): ModelError {
  if (status === 206)
    return new ModelError(
      'unreachable',
      `${url} sent another range (${headers.get('content-range')}, ${headers.get('content-length')} bytes) than ` +
        `the ${limit} bytes that were asked for. Try again, or use another source.`,
    );
  return new ModelError(
    'too-large',
    `${url} does not answer range requests, so it would send more than ${limit} bytes at once. ` +
      'Use a server that does, or download the file and open it from disk.',
  );
}

function totalOf(response: Response): number | null {
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  const size = Number(total);
  return total !== undefined && Number.isSafeInteger(size) ? size : null;
}

/** For cross-origin servers that do not expose Content-Range: Content-Length is always readable. */
async function sizeByHead(url: string, stallMs: number, signal?: AbortSignal): Promise<number> {
  const exchange = await Exchange.start(url, { method: 'HEAD' }, stallMs, signal);
  try {
    exchange.expectOk();
    const size = Number(exchange.response.headers.get('content-length') ?? Number.NaN);
    if (!Number.isSafeInteger(size))
      throw new ModelError(
        'unreachable',
        `${url} does not say how large it is. Download it and open it from disk.`,
      );
    return size;
  } finally {
    exchange.end();
  }
}
