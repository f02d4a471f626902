import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { hostOf, peerOf, readAddress } from './addresses.ts';
import { DIAL_MS, REDIAL_FIRST_MS, REDIAL_LONGEST_MS, RESERVE_MS } from './limits.ts';
import type { RelaySource, RelayState, RelayStatus } from './swarm.ts';
import { until } from './until.ts';

export interface RelayLoopOptions {
  source: RelaySource;
  /** True while the node has an address through that relay. */
  reserved: (relay: string) => boolean;
  changed: () => void;
}

/**
 * Keeps one relay connected, for ever. Neither libp2p's reconnect queue (it does not retry in browsers: a DOM Event is
 * no Error) nor a configured `<relay>/p2p-circuit` comes back after a relay's restart; a dial does, and the search for
 * a reservation follows it in 59 ms.
 */
export class RelayLoop {
  address: Multiaddr | null = null;
  #state: RelayState = 'connecting';
  readonly #node: Libp2p;
  readonly #options: RelayLoopOptions;
  readonly #over = new AbortController();
  #wake = () => {};

  constructor(node: Libp2p, options: RelayLoopOptions) {
    this.#node = node;
    this.#options = options;
    // Known from the start, so that its peers are taken before it is reached.
    if (typeof options.source === 'string') this.address = readRelay(options.source);
  }

  get peer(): string {
    return (this.address && peerOf(this.address)) ?? '';
  }

  get host(): string | undefined {
    return this.address ? hostOf(this.address) : undefined;
  }

  status(): RelayStatus {
    return { address: this.address?.toString() ?? '', peer: this.peer, state: this.#state };
  }

  start(): void {
    void this.#run();
  }

  /** Dials now instead of waiting: the machine is online again. */
  kick(): void {
    this.#wake();
  }

  stop(): void {
    this.#over.abort(new Error('The network is closed.'));
    this.#wake();
  }

  async #run(): Promise<void> {
    let wait = REDIAL_FIRST_MS;
    while (!this.#over.signal.aborted) {
      try {
        const connection = await this.#dial();
        await this.#reservation(connection);
        wait = REDIAL_FIRST_MS;
        this.#become('connected');
        await this.#closed(connection);
        this.#become('connecting');
      } catch {
        // Told by the state; it is tried again.
        this.#become('gone');
      }
      if (this.#over.signal.aborted) return;
      await this.#pause(wait * (0.8 + 0.4 * Math.random()));
      wait = Math.min(REDIAL_LONGEST_MS, wait * 1.5);
    }
  }

  async #dial(): Promise<Connection> {
    const { source } = this.#options;
    const deadline = AbortSignal.timeout(DIAL_MS);
    if (typeof source !== 'string') {
      const asked = await until(source(deadline), deadline, this.#over.signal);
      this.address = readRelay(asked);
    }
    const address = this.address;
    if (!address) throw new TypeError('The relay’s address is no multiaddr with a peer id.');
    // Before the dial: the DHT takes a server only when it knows an address of it.
    await this.#node.peerStore.merge(peerIdFromString(this.peer), { multiaddrs: [address] });
    return until(this.#node.dial(address, { signal: deadline }), deadline, this.#over.signal);
  }

  /** A relay that is full, or has forgotten that we are here, is dialled anew. */
  async #reservation(connection: Connection): Promise<void> {
    const due = performance.now() + RESERVE_MS;
    // `self:peer:update` comes a second late, and no event tells of every change: 20 ms is far below a dial.
    while (!this.#options.reserved(this.peer)) {
      this.#over.signal.throwIfAborted();
      if (connection.status !== 'open') throw new Error('The relay closed the connection.');
      if (performance.now() > due) {
        connection.abort(new Error('The relay gives no reservation.'));
        throw new Error('The relay gives no reservation.');
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Also ends the connection when its reservation is lost for good, as when the relay would not renew it. */
  async #closed(connection: Connection): Promise<void> {
    let missing = 0;
    const look = setInterval(() => {
      missing = this.#options.reserved(this.peer) ? 0 : missing + 1;
      if (missing === 2) connection.abort(new Error('The relay’s reservation is lost.'));
    }, RESERVE_MS);
    const done = new Promise<void>((resolve) => {
      connection.addEventListener('close', () => resolve(), { once: true });
      if (connection.status !== 'open') resolve();
    });
    await until(done, this.#over.signal).finally(() => clearInterval(look));
  }

  #become(state: RelayState): void {
    if (this.#state === state || this.#over.signal.aborted) return;
    this.#state = state;
    this.#options.changed();
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

function readRelay(text: string): Multiaddr | null {
  const address = readAddress(text);
  return address && peerOf(address) ? address : null;
}
