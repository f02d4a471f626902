import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request on its way to an answer. */
export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  /** Pathname, percent-decoded once, without query; `/models/x%2Fy` is split before decoding in `segments`. */
  path: string;
  /** The path's parts, each decoded: `/models/a/b` gives ['models', 'a', 'b']. */
  segments: readonly string[];
  query: URLSearchParams;
  /** Address of the client: the socket's, or what a trusted proxy says. An IPv6 address counts by its /64. */
  address: string;
  /** Aborts when the client hangs up, or when the relay stops and its patience is over. */
  signal: AbortSignal;
}

/** A part of what the relay serves; the first route that matches answers. */
export interface Route {
  /** HEAD is answered wherever GET is. Another method gets 405 with `Allow`. */
  methods: readonly ('GET' | 'POST' | 'DELETE')[];
  matches(path: string): boolean;
  handle(call: Call): void | Promise<void>;
  /** Pages of other origins may read it (CORS, preflight included); default false. */
  crossOrigin?: boolean;
  /**
   * `light`: exempt from the limit on requests and answered while the relay drains or is short of memory: health,
   * metrics, status. `api`: counted by the API's own limits. Default: counted by `limits.requestsPerMinute`.
   */
  kind?: 'light' | 'api';
  /** What the metrics call it; by default `api` or `watch` by the kind, else `other`. */
  label?: 'page' | 'models' | 'network';
  /** How an error is told: OpenAI's shape, or a line of text (default). */
  fail?(call: Call, status: number, code: string, message: string): void;
}
