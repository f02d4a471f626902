import { createHash } from 'node:crypto';
import type { Call } from '../http/types.ts';
import { ApiError } from './errors.ts';
import { KEY_PREFIX, type KeyFile, type KeyInfo } from './keys.ts';
import type { Rate, RequestRate } from './request-rate.ts';
import type { DailyUsage } from './usage.ts';

/** Who asks: a key, or an address without one. Limits and turns are counted by it. */
export interface Client {
  id: string;
  /** The same for the same client; says nothing about it. */
  hash: string;
  key: KeyInfo | null;
}

export interface AdmissionOptions {
  required: boolean;
  requestsPerMinute: number;
  keys: KeyFile;
  rate: RequestRate;
  usage: DailyUsage;
}

/**
 * Finds out who asks, and counts the request; sets the x-ratelimit headers.
 * @throws ApiError 401, 429
 */
export function admit({ request, response, address }: Call, options: AdmissionOptions): Client {
  const { rate, usage } = options;
  const bearer = bearerOf(request.headers.authorization);
  // Clients that must send some key send any; only what looks like one of ours is meant to be one.
  const key = bearer?.startsWith(KEY_PREFIX) ? options.keys.check(bearer) : null;
  const anonymous = `address:${address}`;
  if (!key && (options.required || bearer?.startsWith(KEY_PREFIX))) {
    const { allowed, nextIn } = rate.take(anonymous, options.requestsPerMinute);
    if (!allowed) throw tooMany(options.requestsPerMinute, nextIn);
    throw bearer === null ? noKey() : wrongKey();
  }
  const id = key ? `key:${key.id}` : anonymous;
  const counted = rate.take(id, key?.requestsPerMinute ?? options.requestsPerMinute);
  for (const [name, value] of Object.entries(rateHeaders(counted))) response.setHeader(name, value);
  if (!counted.allowed) throw tooMany(counted.limit, counted.nextIn);
  if (key?.tokensPerDay != null) {
    const used = usage.of(key.id);
    response.setHeader('x-ratelimit-limit-tokens', key.tokensPerDay);
    response.setHeader('x-ratelimit-remaining-tokens', Math.max(0, key.tokensPerDay - used));
    response.setHeader('x-ratelimit-reset-tokens', `${usage.resetsIn}s`);
    if (used >= key.tokensPerDay) throw noQuota(key.tokensPerDay, usage.resetsIn);
  }
  return { id, hash: createHash('sha256').update(id).digest('hex').slice(0, 32), key };
}

function bearerOf(header: string | undefined): string | null {
  return (header && /^Bearer +(\S+) *$/i.exec(header)?.[1]) || null;
}

function rateHeaders({ limit, left, fullIn }: Rate): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(left),
    'x-ratelimit-reset-requests': `${Math.ceil(fullIn)}s`,
  };
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="shoal"' };

function noKey(): ApiError {
  return new ApiError(
    401,
    'invalid_api_key',
    "You didn't provide an API key. Ask the operator of this relay for one, and send it as Authorization: Bearer KEY.",
    { type: 'invalid_request_error', headers: CHALLENGE },
  );
}

function wrongKey(): ApiError {
  // The key is not repeated: messages end in logs.
  return new ApiError(
    401,
    'invalid_api_key',
    'Incorrect API key provided. Ask the operator of this relay for one.',
    {
      type: 'invalid_request_error',
      headers: CHALLENGE,
    },
  );
}

function tooMany(limit: number, nextIn: number): ApiError {
  return new ApiError(
    429,
    'rate_limit_exceeded',
    `Rate limit reached: ${limit} requests per minute. Try again in ${Math.max(1, Math.ceil(nextIn))} s.`,
    { retryAfter: nextIn },
  );
}

function noQuota(limit: number, resetsIn: number): ApiError {
  return new ApiError(
    429,
    'insufficient_quota',
    `This key has used its ${limit} tokens of today. It can be used again tomorrow (UTC).`,
    // The openai client would try twice more at once.
    { type: 'insufficient_quota', retryAfter: resetsIn, headers: { 'x-should-retry': 'false' } },
  );
}
