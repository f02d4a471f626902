import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { MAX_IDLE_ADDRESSES, type RefusalReason, type RelayLimits } from './relay-limits.ts';

/** `socket` is TCP and WebSockets; `datagram` is webrtc-direct, whose sender's address can be forged. */
export type Door = 'socket' | 'datagram';

/** One connection's place; every one is given back. */
export interface Place {
  /** It is encrypted and multiplexed: it is pending no longer. */
  upgraded(): void;
  /** It is over. May be called twice. */
  leave(): void;
}

export interface AddressLimitsOptions {
  limits: RelayLimits;
  /** Milliseconds from any fixed start. */
  now: () => number;
  refused?: (reason: RefusalReason) => void;
}

interface Visitor {
  open: number;
  pending: number;
  /** New connections that it may make at once, as of `at`. */
  tokens: number;
  at: number;
}

/**
 * Who may connect, over every transport together: one address must not take the places of the others. libp2p counts
 * pending connections of everybody together, and asks only after a webrtc-direct connection was made.
 */
export class AddressLimits {
  readonly #options: AddressLimitsOptions;
  readonly #visitors = new Map<string, Visitor>();
  readonly #pending: Record<Door, number> = { socket: 0, datagram: 0 };
  #open = 0;

  constructor(options: AddressLimitsOptions) {
    this.#options = options;
  }

  /** Connections, those included that are not encrypted yet. */
  get open(): number {
    return this.#open;
  }

  get pending(): number {
    return this.#pending.socket + this.#pending.datagram;
  }

  /**
   * @param address IP address; null for one that stands for many, such as a proxy's, which counts in all only
   * @returns null when it is refused
   */
  enter(address: string | null, door: Door): Place | null {
    const { limits } = this.#options;
    if (this.#open >= limits.connections) return this.#refuse('connections');
    const visitor = address === null ? null : this.#visitor(networkOf(address));
    if (visitor) {
      if (visitor.open >= limits.connectionsPerAddress) return this.#refuse('connections-per-address');
      if (visitor.pending >= limits.pendingPerAddress) return this.#refuse('pending-per-address');
      if (visitor.tokens < 1) return this.#refuse('connections-per-second');
    }
    if (this.#pending[door] >= limits.pending) return this.#refuse('pending');
    if (visitor) {
      visitor.tokens--;
      visitor.open++;
      visitor.pending++;
    }
    this.#open++;
    this.#pending[door]++;
    let state: 'pending' | 'upgraded' | 'left' = 'pending';
    const settle = () => {
      this.#pending[door]--;
      if (visitor) visitor.pending--;
    };
    return {
      upgraded: () => {
        if (state !== 'pending') return;
        state = 'upgraded';
        settle();
      },
      leave: () => {
        if (state === 'left') return;
        if (state === 'pending') settle();
        state = 'left';
        this.#open--;
        if (visitor) visitor.open--;
      },
    };
  }

  #refuse(reason: RefusalReason): null {
    this.#options.refused?.(reason);
    return null;
  }

  #visitor(network: string): Visitor {
    const rate = this.#options.limits.connectionsPerSecond;
    const now = this.#options.now();
    const known = this.#visitors.get(network);
    if (known) {
      known.tokens = Math.min(rate, known.tokens + ((now - known.at) / 1000) * rate);
      known.at = now;
      return known;
    }
    if (this.#visitors.size >= MAX_IDLE_ADDRESSES + this.#options.limits.connections) this.#forget();
    const visitor = { open: 0, pending: 0, tokens: rate, at: now };
    this.#visitors.set(network, visitor);
    return visitor;
  }

  /** The oldest of those that have no connection. Many at once: to look for them takes its time, too. */
  #forget(): void {
    let left = MAX_IDLE_ADDRESSES / 10;
    for (const [network, { open }] of this.#visitors) {
      if (open > 0) continue;
      this.#visitors.delete(network);
      if (--left === 0) return;
    }
  }
}

/** What counts as one address: all of an IPv6 /64 belongs to one household, and it may change within it at will. */
export function networkOf(address: string): string {
  const plain = address.replace(/[%/].*$/, '');
  if (!isIP(plain)) return plain;
  const ip = ipaddr.process(plain);
  if (!(ip instanceof ipaddr.IPv6)) return ip.toString();
  return `${ip.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
