import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES } from './limits.ts';
import type { LinkPath } from './types.ts';

/** What a multiaddr is made of, as far as paths go. */
const names = (address: Multiaddr) => address.getComponents().map(({ name }) => name);

/**
 * How a connection over that address travels. The relay of a circuit may itself be reached over webrtc-direct; the
 * circuit is relayed all the same. A webrtc-direct connection is as direct as one between two tabs: nobody is between.
 */
export function pathOf(address: Multiaddr): LinkPath {
  const parts = names(address);
  if (parts.includes('webrtc')) return 'direct';
  if (parts.includes('p2p-circuit')) return 'relayed';
  if (parts.includes('webrtc-direct')) return 'direct';
  if (parts.includes('ws') || parts.includes('wss')) return 'websocket';
  return 'tcp';
}

/** The peer that an address leads to: its last `/p2p/…`. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
}

/** The host that is dialled first, without the port: an IP address or a name. */
export function hostOf(address: Multiaddr): string | undefined {
  const [first] = address.getComponents();
  return first && /^(ip4|ip6|dns|dns4|dns6|dnsaddr)$/.test(first.name) ? first.value : undefined;
}

/**
 * The addresses of a peer that somebody named: at most eight, each one readable and leading to that peer and no other.
 * What does not check is left out.
 */
export function checkedAddresses(peer: string, addresses: Iterable<string>): Multiaddr[] {
  const checked = new Map<string, Multiaddr>();
  let looked = 0;
  for (const text of addresses) {
    if (++looked > 4 * MAX_ADDRESSES || checked.size >= MAX_ADDRESSES) break;
    const address = readAddress(text);
    if (!address) continue;
    const end = address.getComponents().at(-1);
    const whole = end?.name === 'p2p' ? address : address.encapsulate(`/p2p/${peer}`);
    if (peerOf(whole) === peer) checked.set(whole.toString(), whole);
  }
  return [...checked.values()];
}

/** null for what is no multiaddr, or a very long one. */
export function readAddress(from: string | Uint8Array): Multiaddr | null {
  if (from.length > MAX_ADDRESS_LENGTH) return null;
  try {
    return multiaddr(from);
  } catch {
    return null;
  }
}
