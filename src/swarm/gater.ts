import type { ConnectionGater } from '@libp2p/interface';
import { isPrivate } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import { hostOf } from './addresses.ts';
import { MAX_REFUSED, REFUSE_MS } from './limits.ts';

/** Peers that were cut off, for a while. */
export class Refused {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(peer: string): void {
    this.#until.delete(peer);
    this.#until.set(peer, this.#now() + REFUSE_MS);
    if (this.#until.size > MAX_REFUSED) this.#until.delete(this.#until.keys().next().value!);
  }

  has(peer: string): boolean {
    const until = this.#until.get(peer);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#until.delete(peer);
    return false;
  }
}

export interface GaterOptions {
  refused: Refused;
  /** Hosts of the own relays: reachable whatever their address. */
  relayHosts: () => ReadonlySet<string>;
  /** Peer ids of the own relays; null when connections over any relay are taken. */
  relayPeers: () => ReadonlySet<string>;
  /** `never`: a relay dials nobody. */
  dials: 'peers' | 'never';
}

/**
 * Who may be dialled and who may come in. libp2p's default for browsers refuses every `ws://` and every private
 * address, with which nothing works on a LAN or at home; allowing everything would let a stranger's record make this
 * tab knock at the doors of its owner's network. So a private address must be the host of an own relay.
 */
export function connectionGater({ refused, relayHosts, relayPeers, dials }: GaterOptions): ConnectionGater {
  return {
    denyDialPeer: (peer) => dials === 'never' || refused.has(peer.toString()),
    denyDialMultiaddr: (address: Multiaddr) => {
      if (dials === 'never') return true;
      const host = hostOf(address);
      if (host === undefined) return true;
      return isInner(address, host) && !relayHosts().has(host);
    },
    denyInboundEncryptedConnection: (peer) => refused.has(peer.toString()),
    denyInboundRelayedConnection: (relay, peer) =>
      refused.has(peer.toString()) || !relayPeers().has(relay.toString()),
    denyInboundRelayReservation: (peer) => refused.has(peer.toString()),
  };
}

function isInner(address: Multiaddr, host: string): boolean {
  if (/^[\d.]+$|:/.test(host)) return isPrivate(address);
  return (
    host === 'localhost' || !host.includes('.') || /\.(local|localhost|internal|lan|home\.arpa)$/.test(host)
  );
}
