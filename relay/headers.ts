import type { ServerResponse } from 'node:http';

/** Everything from this origin, nothing inline; WebAssembly may compile (onnxruntime needs it). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
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

export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Kept, but asked about before each use. */
export const REVALIDATE = 'no-cache';

export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}
