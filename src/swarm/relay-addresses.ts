import type { Multiaddr } from '@multiformats/multiaddr';
import { checkedAddresses, hostOf, peerOf } from './addresses.ts';
import { isInner } from './gater.ts';
import type { JoinHello } from './join-messages.ts';
import { MAX_ADDRESSES } from './limits.ts';

const names = (address: Multiaddr) => address.getComponents().map(({ name }) => name);

/** The relay that a circuit goes through; undefined for an address without one. */
export function relayOn(address: Multiaddr): string | undefined {
  const parts = address.getComponents();
  const circuit = parts.findIndex(({ name }) => name === 'p2p-circuit');
  return parts.slice(0, Math.max(0, circuit)).findLast(({ name }) => name === 'p2p')?.value;
}

/** The relay itself, over something that a tab or a relay can dial: no circuit, no file, nothing unknown. */
export function isRelayAddress(address: Multiaddr): boolean {
  const parts = names(address);
  if (hostOf(address) === undefined || peerOf(address) === undefined || parts.includes('p2p-circuit'))
    return false;
  if (parts.filter((name) => name === 'p2p').length !== 1) return false;
  return parts.includes('webrtc-direct') || parts[1] === 'tcp';
}

/** One that a relay can dial itself: a name that stands for other addresses would evade the list of what it may dial. */
export function isDialable(address: Multiaddr): boolean {
  return isRelayAddress(address) && names(address)[1] === 'tcp' && names(address)[0] !== 'dnsaddr';
}

/**
 * Where another relay is reached, by what it says itself. A private address must be that of the host where we see it:
 * else a stranger could make our peers knock at doors of their own network.
 * @param seen host of the connection with it
 * @param dialled the address that we reached it at, when we dialled
 */
export function addressesOf(
  peer: string,
  hello: Pick<JoinHello, 'addresses' | 'port'>,
  seen: string | undefined,
  dialled: Multiaddr | null,
): string[] {
  const honest = (address: Multiaddr) => {
    const host = hostOf(address);
    return isRelayAddress(address) && host !== undefined && (host === seen || !isInner(address, host));
  };
  const told = checkedAddresses(peer, hello.addresses).filter(honest).map(String);
  if (dialled) told.push(...checkedAddresses(peer, [dialled.toString()]).map(String));
  // It knows no address of its own that a tab can dial, but we see the one that it comes from.
  const kind = seen?.includes(':') ? 'ip6' : 'ip4';
  const forTabs = told.some((address) => /\/(ws|wss|webrtc-direct)\//.test(address));
  const byPort = !forTabs && hello.port !== null && seen !== undefined && /^[\d.]+$|:/.test(seen);
  if (byPort) told.push(`/${kind}/${seen}/tcp/${hello.port}/ws/p2p/${peer}`);
  return [...new Set(told)].slice(0, MAX_ADDRESSES);
}
