import { readAddress } from './addresses.ts';
import { MAX_DESCRIPTION_BYTES } from './federation-limits.ts';
import { parse } from './join-messages.ts';
import { relayAddress } from './relay-address.ts';
import { isDialable } from './relay-addresses.ts';
import type { RelaySource } from './swarm.ts';
import { TransportError } from './types.ts';

/**
 * Where a relay that is to be joined is found: a multiaddr with a peer id as it is, an http(s) address by asking its
 * `/network.json` anew at each dial, because a relay that was set up again may have another peer id.
 * @throws TransportError `no-relay` for anything else
 */
export function joinSource(given: string): RelaySource {
  if (given.startsWith('/')) {
    const address = readAddress(given);
    if (address && isDialable(address)) return given;
    throw notUsable(given, 'a multiaddr must have a peer id and tcp, ws or wss');
  }
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw notUsable(given, 'give https://…');
  return (signal) => ask(new URL('network.json', url), signal);
}

async function ask(url: URL, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
  const body = response.ok ? await bounded(response) : null;
  if (!body) await response.body?.cancel();
  const peer = body && parse(body)?.peer;
  if (typeof peer === 'string') return relayAddress(response.url || url, peer);
  throw new TransportError('no-relay', `${url.host} does not say who it is. Is a relay there?`);
}

/** The body, unless it is longer than any relay's. */
async function bounded(response: Response): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_DESCRIPTION_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function notUsable(given: string, why: string): TransportError {
  const shown = given.length > 100 ? `${given.slice(0, 100)}…` : given;
  return new TransportError('no-relay', `"${shown}" cannot be joined: ${why}.`);
}
