import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { RelayConfig } from '../config/index.ts';

/** What a server said, or why nobody knows. */
export type Asked =
  | {
      answered: true;
      status: number;
      text: string;
      /** Difference between its clock and ours, in seconds; null when it did not say the time. */
      clockAhead: number | null;
    }
  | { answered: false; why: string };

export interface AskOptions {
  signal: AbortSignal;
  /** Milliseconds for the whole answer. */
  timeoutMs?: number;
  /** Take any certificate: only for this very machine, whose certificate names its domain and not `127.0.0.1`. */
  anyCertificate?: boolean;
}

/** The longest answer asked for here is a network's state, with 500 hosts of about 300 bytes. Bytes. */
const MOST_BYTES = 1_000_000;
/** A healthy relay answers in milliseconds, a far one in a second. */
const TIMEOUT_MS = 8_000;

/**
 * GET over a connection of its own. A server that does not answer is no error here, but something to tell.
 * @throws the signal's reason
 */
export async function ask(url: string, options: AskOptions): Promise<Asked> {
  const { signal, timeoutMs = TIMEOUT_MS, anyCertificate = false } = options;
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await get(new URL(url), anyCertificate, AbortSignal.any([signal, deadline]));
    const text = await bodyOf(response);
    const at = Date.parse(response.headers.date ?? '');
    // The header has whole seconds, cut off: half of one is the best guess for the rest.
    const clockAhead = Number.isNaN(at) ? null : (at + 500 - Date.now()) / 1000;
    return { answered: true, status: response.statusCode ?? 0, text, clockAhead };
  } catch (error) {
    signal.throwIfAborted();
    const why = deadline.aborted ? `it did not answer within ${timeoutMs / 1000} s` : reasonOf(error);
    return { answered: false, why };
  }
}

/** Where the relay of a configuration answers on this machine. */
export function localUrl({ host, port, tls }: RelayConfig): string {
  const anywhere = host === '0.0.0.0' || host === '::' || host === '';
  const name = anywhere ? '127.0.0.1' : isIP(host) === 6 ? `[${host}]` : host;
  return `${tls.cert === null ? 'http' : 'https'}://${name}:${port}`;
}

/** A JSON object in an answer; null for anything else. */
export function objectIn(asked: Asked): Record<string, unknown> | null {
  if (!asked.answered) return null;
  try {
    const value: unknown = JSON.parse(asked.text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    // Some other server's page.
    return null;
  }
}

/** The peer id in an answer of /network.json. */
export function peerIn(asked: Asked): string | null {
  const peer = objectIn(asked)?.peer;
  return typeof peer === 'string' && /^[1-9A-HJ-NP-Za-km-z]{32,64}$/.test(peer) ? peer : null;
}

function get(url: URL, anyCertificate: boolean, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { signal, agent: false, headers: { accept: 'application/json' } };
    const outgoing =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: !anyCertificate }, resolve)
        : httpRequest(url, options, resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    bytes += (part as Buffer).length;
    if (bytes > MOST_BYTES) throw new Error('its answer is too long');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'names cannot be looked up from here',
  ECONNRESET: 'it broke the connection off',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes without its chain',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  EPROTO: 'it does not speak HTTPS',
};

/** Why a connection failed, in words where we have them. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? message ?? 'the reason is unknown';
}
