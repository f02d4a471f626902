import type { ServerResponse } from 'node:http';

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

/** What a page of another relay may read with `?relay=`: public files, and nothing that depends on who asks. */
const CROSS_ORIGIN_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  // The size of a file stands in the answer to its first range.
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Length, Content-Range, ETag',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Browsers that do not know the range header as harmless ask first. */
const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'GET, HEAD',
  'Access-Control-Allow-Headers': 'Range, If-Range, If-None-Match',
  // A day; browsers take at most two hours.
  'Access-Control-Max-Age': '86400',
};

export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Kept, but asked about before each use. */
export const REVALIDATE = 'no-cache';

export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** Lets pages of other origins read this answer. */
export function allowCrossOrigin(response: ServerResponse): void {
  for (const [name, value] of Object.entries(CROSS_ORIGIN_HEADERS)) response.setHeader(name, value);
}

/** Answers the question a browser asks before a cross-origin request. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, { ...PREFLIGHT_HEADERS, 'Content-Length': 0 }).end();
}
