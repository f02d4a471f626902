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
  /** Peer ids of the own relays: connections over no other come in. */
  relayPeers: () => ReadonlySet<string>;
  mayDial: (address: Multiaddr) => boolean;
}

/** Who may be dialled and who may come in. libp2p's default for browsers refuses every `ws://` and private address. */
export function connectionGater({ refused, relayPeers, mayDial }: GaterOptions): ConnectionGater {
  return {
    denyDialPeer: (peer) => refused.has(peer.toString()),
    denyDialMultiaddr: (address: Multiaddr) => !mayDial(address),
    denyInboundEncryptedConnection: (peer) => refused.has(peer.toString()),
    denyInboundRelayedConnection: (relay, peer) =>
      refused.has(peer.toString()) || !relayPeers().has(relay.toString()),
    denyInboundRelayReservation: (peer) => refused.has(peer.toString()),
  };
}

/**
 * What a tab may dial. Without private addresses nothing works on a LAN or at home; allowing everything would let a
 * stranger's record make this tab knock at the doors of its owner's network. So a private address must be the host of
 * an own relay, or of a relay that an own relay joined and named.
 */
export function outerOr(relayHosts: () => ReadonlySet<string>): (address: Multiaddr) => boolean {
  return (address) => {
    const host = hostOf(address);
    return host !== undefined && (!isInner(address, host) || relayHosts().has(host));
  };
}

/** True for an address of a home, a LAN or this very machine. */
export function isInner(address: Multiaddr, host: string): boolean {
  if (/^[\d.]+$|:/.test(host)) return isPrivate(address);
  return (
    host === 'localhost' || !host.includes('.') || /\.(local|localhost|internal|lan|home\.arpa)$/.test(host)
  );
}
