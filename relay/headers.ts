import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Code from this origin only, nothing inline; WebAssembly may compile (onnxruntime needs it).
 *
 * Connections may go anywhere: `?relay=` names a relay on any host, and peers are reached through relays that other
 * peers chose. Plain http: and ws: are for relays on a local network; from a page on https, browsers refuse them. This
 * gives nothing away: WebRTC, which the page lives on, was never under connect-src.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' https: wss: http: ws:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What a chat page never asks for; clipboard-write stays, for the copy button. */
const DENIED = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
]
  .concat(['midi', 'payment', 'publickey-credentials-get', 'usb'])
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Sent with every response. The three cross-origin ones give the page shared memory, hence WASM threads. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Permissions-Policy': DENIED,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * What a page of another origin may read: public files, and what the API answers. No cookies are ever looked at, so
 * nothing depends on who asks, a key in a header apart.
 */
const CROSS_ORIGIN_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': [
    // The size of a file stands in the answer to its first range.
    ...['Accept-Ranges', 'Content-Length', 'Content-Range', 'ETag', 'Retry-After', 'Server-Timing'],
    ...['X-Request-Id', 'X-Shoal-Route', 'X-Shoal-Queue'],
    ...['Limit', 'Remaining', 'Reset'].flatMap((part) => [
      `X-RateLimit-${part}-Requests`,
      `X-RateLimit-${part}-Tokens`,
    ]),
  ].join(', '),
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Browsers that do not know the range header as harmless ask first. */
const FILE_HEADERS = ['Range', 'If-Range', 'If-None-Match'];
const API_HEADERS = ['Authorization', 'Content-Type', 'X-Shoal-Route'];
/** The openai client tells about itself in headers whose names change with its versions. */
const CLIENT_HEADER = /^x-stainless-[a-z0-9-]{1,40}$/;
/** Such headers in one question; the client sends about ten. */
const MOST_CLIENT_HEADERS = 24;
/** 30 days: a regular is protected, and an operator who gives up TLS is forgiven within a month. */
const STRICT_TRANSPORT = 'max-age=2592000';

export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Kept, but asked about before each use. */
export const REVALIDATE = 'no-cache';

/** `httpsOnly`: browsers shall not try plain HTTP any more. */
export function secure(response: ServerResponse, httpsOnly = false): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  if (httpsOnly) response.setHeader('Strict-Transport-Security', STRICT_TRANSPORT);
}

/** Lets pages of other origins read this answer. */
export function allowCrossOrigin(response: ServerResponse): void {
  for (const [name, value] of Object.entries(CROSS_ORIGIN_HEADERS)) response.setHeader(name, value);
}

/** Answers the question a browser asks before a cross-origin request. */
export function answerPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  const headers = [...FILE_HEADERS];
  if (methods.includes('POST')) headers.push(...API_HEADERS, ...clientHeaders(request));
  response.writeHead(204, {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': headers.join(', '),
    // A day; browsers take at most two hours.
    'Access-Control-Max-Age': '86400',
    Vary: 'Access-Control-Request-Headers',
    'Content-Length': 0,
  });
  response.end();
}

function clientHeaders(request: IncomingMessage): string[] {
  const asked = String(request.headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',');
  return asked
    .map((name) => name.trim())
    .filter((name) => CLIENT_HEADER.test(name))
    .slice(0, MOST_CLIENT_HEADERS);
}
