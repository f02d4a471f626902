import { type RelaySource, relayAddress } from '../swarm/index.ts';
import { ShoalError } from './errors.ts';
import { fetchBytes } from './fetch-bytes.ts';
import type { Platform } from './platform.ts';
import type { ShoalOptions } from './types.ts';

/** A multiaddr begins with how a host is named; any other path belongs to a URL. */
const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\//;
/** Relays of one tab: two to survive one of them, and some to spare. */
const MOST_RELAYS = 8;
const MOST_ADDRESS_CHARACTERS = 512;
const MOST_BYTES = 64 * 1024;

export interface Relays {
  /** Where models and their list come from. */
  models: URL;
  /** Whom to join. */
  join: RelaySource[];
}

/**
 * Sorts what a caller named: http(s) addresses give models and are joined, multiaddrs are joined only.
 * @param base the page's address: relative URLs start there, and it is the relay when none is named
 * @throws ShoalError `bad-request`
 */
export function relaysOf(platform: Pick<Platform, 'fetch'>, given: ShoalOptions['relay'], base: URL): Relays {
  const list = given === undefined ? [] : typeof given === 'string' || given instanceof URL ? [given] : given;
  if (list.length > MOST_RELAYS) throw refuse(`At most ${MOST_RELAYS} relays are taken.`);
  const urls: URL[] = [];
  const join: RelaySource[] = [];
  for (const one of list) {
    if (typeof one === 'string' && one.length > MOST_ADDRESS_CHARACTERS) {
      throw refuse('The address of a relay is too long.');
    }
    if (typeof one === 'string' && MULTIADDR.test(one)) join.push(one);
    else urls.push(urlOf(one, base));
  }
  const own = new URL('/', base);
  const joined = list.length === 0 ? [own] : urls;
  return {
    models: urls[0] ?? own,
    join: [...joined.map((url) => addressFrom(platform, url)), ...join],
  };
}

/** Asked anew at each dial, because a relay that was set up again may have another peer id. */
function addressFrom(platform: Pick<Platform, 'fetch'>, relay: URL): RelaySource {
  return async (signal) => {
    const bytes = await fetchBytes(platform, new URL('network.json', relay), MOST_BYTES, signal);
    const peer = peerIn(new TextDecoder().decode(bytes));
    if (peer === null) {
      throw new ShoalError('unreachable', `${relay.host} does not say who it is. Update the relay.`);
    }
    return relayAddress(relay, peer);
  };
}

function peerIn(text: string): string | null {
  try {
    const told: unknown = JSON.parse(text);
    const peer: unknown = typeof told === 'object' && told !== null ? Reflect.get(told, 'peer') : null;
    return typeof peer === 'string' ? peer : null;
  } catch {
    // Some other page at that address.
    return null;
  }
}

function urlOf(given: string | URL, base: URL): URL {
  try {
    const url = new URL(given, base);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // Told below, like any other address that cannot be used.
  }
  throw refuse('A relay is given by an http(s) address or a multiaddr.');
}

function refuse(message: string): ShoalError {
  return new ShoalError('bad-request', message, { param: 'relay' });
}
