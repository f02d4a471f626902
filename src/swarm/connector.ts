import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { checkedAddresses, pathOf } from './addresses.ts';
import { DIAL_MS, DIRECT_DIAL_MS } from './limits.ts';
import { TransportError } from './types.ts';

export interface ConnectorOptions {
  /** This peer can make WebRTC connections. */
  webrtc: boolean;
  /** Where to try, given where somebody said that the peer is. Never rejects. */
  ways: (peer: string, addrs: readonly string[]) => readonly string[] | Promise<readonly string[]>;
}

/** Finds or makes the best connection to a peer: direct, else a WebSocket, else through a relay. */
export class Connector {
  readonly #node: Libp2p;
  readonly #options: ConnectorOptions;

  constructor(node: Libp2p, options: ConnectorOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** The open connection that a new stream should take; null when there is none but perhaps a relayed one. */
  best(peer: string): Connection | null {
    const found = this.#open(peer).filter((connection) => pathOf(connection.remoteAddr) !== 'relayed');
    // Two tabs that dialled each other at once have two; both take the one that the lower peer id dialled.
    return found.sort((a, b) => this.#rank(a) - this.#rank(b))[0] ?? null;
  }

  /**
   * @param addrs where somebody said that the peer is
   * @throws TransportError `unreachable`, with what each way said as its cause
   */
  async connect(peer: string, addrs: readonly string[]): Promise<Connection> {
    const ready = this.best(peer);
    if (ready) return ready;
    const addresses = checkedAddresses(peer, await this.#options.ways(peer, addrs));
    if (addresses.length === 0) throw unreachable(peer, new Error('Nobody said where it is.'));
    const by = (...paths: string[]) => addresses.filter((address) => paths.includes(pathOf(address)));
    const failures: unknown[] = [];
    const attempt = async (ways: Multiaddr[], dial: () => Promise<Connection>) => {
      if (ways.length === 0) return null;
      return dial().catch((error: unknown) => {
        failures.push(error);
        return null;
      });
    };
    const direct = this.#options.webrtc ? by('direct') : [];
    const plain = by('websocket', 'tcp');
    const circuits = by('relayed');
    const dial = (to: Multiaddr[]) => this.#node.dial(to, { signal: AbortSignal.timeout(DIAL_MS) });
    return (
      (await attempt(direct, () => this.#dialDirect(peer, direct))) ??
      (await attempt(plain, () => dial(plain))) ??
      // A failed direct dial leaves the circuit behind over which it was arranged.
      this.#open(peer)[0] ??
      (await attempt(circuits, () => dial(circuits))) ??
      (await Promise.reject(unreachable(peer, new AggregateError(failures))))
    );
  }

  /**
   * Dials over WebRTC. When the peer dials us at the same time, one of the two dials is enough: the one of the lower
   * peer id goes on, the other is given up.
   */
  async #dialDirect(peer: string, addresses: Multiaddr[]): Promise<Connection> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(new Error('No direct connection in time.')), DIRECT_DIAL_MS);
    const theirs = new Promise<Connection>((resolve) => {
      this.#node.addEventListener(
        'connection:open',
        ({ detail }) => {
          const same = detail.remotePeer.toString() === peer && pathOf(detail.remoteAddr) === 'direct';
          if (same && detail.direction === 'inbound' && this.#rank(detail) === 0) resolve(detail);
        },
        { signal: giveUp.signal },
      );
    });
    try {
      return await Promise.race([theirs, this.#node.dial(addresses, { signal: giveUp.signal })]);
    } finally {
      clearTimeout(timer);
      giveUp.abort(new Error('Another connection is there already.'));
    }
  }

  #open(peer: string): Connection[] {
    return this.#node.getConnections(peerIdFromString(peer)).filter(({ status }) => status === 'open');
  }

  /** 0 for a connection that the lower peer id dialled, 1 for the other. */
  #rank(connection: Connection): number {
    const self = this.#node.peerId.toString();
    const lowerIsSelf = self < connection.remotePeer.toString();
    return lowerIsSelf === (connection.direction === 'outbound') ? 0 : 1;
  }
}

function unreachable(peer: string, cause: unknown): TransportError {
  return new TransportError('unreachable', `Peer ${peer} cannot be reached.`, { cause });
}
