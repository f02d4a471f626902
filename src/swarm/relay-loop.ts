import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { hostOf, peerOf, readAddress } from './addresses.ts';
import { DIAL_MS, RESERVE_MS } from './limits.ts';
import { Redial } from './redial.ts';
import type { RelaySource, RelayStatus } from './swarm.ts';
import { until } from './until.ts';

export interface RelayLoopOptions {
  source: RelaySource;
  /** True while the node has an address through that relay. */
  reserved: (relay: string) => boolean;
  /** Gives up a reservation of an earlier connection, if there is one. Never rejects. */
  refresh: (relay: string) => Promise<void>;
  changed: () => void;
}

/**
 * Keeps one relay connected, for ever. Neither libp2p's reconnect queue (it does not retry in browsers: a DOM Event is
 * no Error) nor a configured `<relay>/p2p-circuit` comes back after a relay's restart; a dial does, and the search for
 * a reservation follows it in 59 ms.
 */
export class RelayLoop {
  address: Multiaddr | null = null;
  readonly #node: Libp2p;
  readonly #options: RelayLoopOptions;
  readonly #redial: Redial;

  constructor(node: Libp2p, options: RelayLoopOptions) {
    this.#node = node;
    this.#options = options;
    // Known from the start, so that its peers are taken before it is reached.
    if (typeof options.source === 'string') this.address = readRelay(options.source);
    this.#redial = new Redial({
      attempt: (up, signal) => this.#keep(up, signal),
      changed: options.changed,
    });
  }

  get peer(): string {
    return (this.address && peerOf(this.address)) ?? '';
  }

  get host(): string | undefined {
    return this.address ? hostOf(this.address) : undefined;
  }

  status(): RelayStatus {
    return { address: this.address?.toString() ?? '', peer: this.peer, state: this.#redial.state };
  }

  start(): void {
    this.#redial.start();
  }

  /** Dials now instead of waiting: the machine is online again. */
  kick(): void {
    this.#redial.kick();
  }

  stop(): void {
    this.#redial.stop();
  }

  async #keep(up: () => void, over: AbortSignal): Promise<void> {
    const connection = await this.#dial(over);
    await this.#reservation(connection, over);
    up();
    await this.#closed(connection, over);
  }

  async #dial(over: AbortSignal): Promise<Connection> {
    const { source } = this.#options;
    const deadline = AbortSignal.timeout(DIAL_MS);
    if (typeof source !== 'string') {
      const asked = await until(source(deadline), deadline, over);
      this.address = readRelay(asked);
    }
    const address = this.address;
    if (!address) throw new TypeError('The relay’s address is no multiaddr with a peer id.');
    // Before the dial: the DHT takes a server only when it knows an address of it.
    await this.#node.peerStore.merge(peerIdFromString(this.peer), { multiaddrs: [address] });
    return until(this.#node.dial(address, { signal: deadline }), deadline, over);
  }

  /** A relay that is full, or has forgotten that we are here, is dialled anew. */
  async #reservation(connection: Connection, over: AbortSignal): Promise<void> {
    const due = performance.now() + RESERVE_MS;
    await until(this.#options.refresh(this.peer), AbortSignal.timeout(RESERVE_MS), over);
    // `self:peer:update` comes a second late, and no event tells of every change: 20 ms is far below a dial.
    while (!this.#options.reserved(this.peer)) {
      over.throwIfAborted();
      if (connection.status !== 'open') throw new Error('The relay closed the connection.');
      if (performance.now() > due) {
        connection.abort(new Error('The relay gives no reservation.'));
        throw new Error('The relay gives no reservation.');
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Also ends the connection when its reservation is lost for good, as when the relay would not renew it. */
  async #closed(connection: Connection, over: AbortSignal): Promise<void> {
    let missing = 0;
    const look = setInterval(() => {
      missing = this.#options.reserved(this.peer) ? 0 : missing + 1;
      if (missing === 2) connection.abort(new Error('The relay’s reservation is lost.'));
    }, RESERVE_MS);
    const done = new Promise<void>((resolve) => {
      connection.addEventListener('close', () => resolve(), { once: true });
      if (connection.status !== 'open') resolve();
    });
    await until(done, over).finally(() => clearInterval(look));
  }
}

function readRelay(text: string): Multiaddr | null {
  const address = readAddress(text);
  return address && peerOf(address) ? address : null;
}
