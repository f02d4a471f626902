import { ModelError } from '../model/index.ts';
import type { Platform } from './platform.ts';

/** Milliseconds for a list, a manifest or a relay's address: a few kilobytes each. */
const TIMEOUT_MS = 20_000;

/**
 * A small document of the relay's.
 * @param most bytes; a longer answer is cut off
 * @throws ModelError `unreachable`, `too-large`
 */
export async function fetchBytes(
  platform: Pick<Platform, 'fetch'>,
  url: URL,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await platform.fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ModelError('unreachable', `${url.href} does not answer. Check the connection and retry.`, {
      cause: error,
    });
  }
  if (!response.ok || !response.body) {
    throw new ModelError('unreachable', `${url.href} answered with status ${response.status}. Retry later.`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  // Not every browser iterates a stream by itself.
  const reader = response.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const part = read.value;
    length += part.length;
    if (length > most) {
      await reader.cancel();
      throw new ModelError('too-large', `${url.href} has more than ${most} bytes: it is not what it says.`);
    }
    parts.push(part);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
