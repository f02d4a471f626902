import { readCapped } from './read-capped.ts';
import { LONGEST_RELAY, MOST_RELAYS } from './settings.ts';

/** Milliseconds: a relay that is slower than this makes nobody happy. */
const PATIENCE_MS = 8_000;
/** Bytes of a relay's description; a real one has some hundred. */
const MOST_BYTES = 64 * 1024;
/** A multiaddr names a host and ends with who is there. */
const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/[^\s]+\/p2p\/[1-9A-HJ-NP-Za-km-z]{20,128}$/;

export type RelayProblem = 'not-an-address' | 'known' | 'too-many' | 'blocked' | 'silent' | 'no-relay';

/** `unchecked`: a multiaddr, which is tried when the page joins. */
export type RelayCheck =
  | { kind: 'answers' | 'unchecked'; relay: string }
  /** `relay`: the address as it would be kept, null when it is none. */
  | { kind: 'problem'; problem: RelayProblem; relay: string | null };

interface Surroundings {
  /** Relays in the list already. */
  known: readonly string[];
  /** Whether the page came over https. */
  secure: boolean;
  fetch: typeof fetch;
  signal?: AbortSignal;
}

/** Looks whether an address that a person wrote is one of a relay, and whether the relay answers. Never rejects. */
export async function checkRelay(
  text: string,
  { known, secure, fetch, signal }: Surroundings,
): Promise<RelayCheck> {
  const relay = addressOf(text);
  const fail = (problem: RelayProblem): RelayCheck => ({ kind: 'problem', problem, relay });
  if (relay === null) return fail('not-an-address');
  if (known.includes(relay)) return fail('known');
  if (known.length >= MOST_RELAYS) return fail('too-many');
  if (MULTIADDR.test(relay)) return { kind: 'unchecked', relay };
  const url = new URL('network.json', relay);
  if (secure && url.protocol === 'http:' && !isOwnDevice(url.hostname)) return fail('blocked');
  try {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(url, {
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    return (await saysWhoItIs(response)) ? { kind: 'answers', relay } : fail('no-relay');
  } catch {
    return fail('silent');
  }
}

/** The address as it is kept: a URL with its scheme and a slash at the end, or a multiaddr. Null: it is none. */
function addressOf(text: string): string | null {
  const written = text.trim();
  if (written === '' || written.length > LONGEST_RELAY || /\s/.test(written)) return null;
  if (written.startsWith('/')) return MULTIADDR.test(written) ? written : null;
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `https://${written}`);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
    if (url.username || url.password) return null;
    url.search = '';
    url.hash = '';
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return url.href.length <= LONGEST_RELAY ? url.href : null;
  } catch {
    return null;
  }
}

/** Browsers let a page over https reach these without it. */
function isOwnDevice(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '[::1]';
}

/** A relay that can be joined tells its peer id. */
async function saysWhoItIs(response: Response): Promise<boolean> {
  if (!response.ok) return false;
  try {
    const told: unknown = JSON.parse(await readCapped(response, MOST_BYTES));
    return typeof told === 'object' && told !== null && typeof Reflect.get(told, 'peer') === 'string';
  } catch {
    // Some other page at that address.
    return false;
  }
}
