import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import type { Libp2p, PeerId, Transport } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';

type Init = Parameters<typeof circuitRelayTransport>[0];
type Components = Parameters<ReturnType<typeof circuitRelayTransport>>[0];

/** The part of @libp2p/circuit-relay-v2 4.2.13 that its interface leaves out: what was reserved over which connection. */
interface Store {
  reservations: { get(relay: PeerId): { connection: string } | undefined };
  addRelay(relay: PeerId, type: 'discovered'): Promise<unknown>;
}

/**
 * The circuit transport, and whether its reservations are worth anything. When a connection closes just as its
 * reservation is granted, the package keeps the reservation, and its address, for two hours, and makes no other one:
 * the peer believes that it can be reached, and after the relay's return nobody reaches it.
 */
export class Reservations {
  #store: Store | null = null;

  transport(init: Init): (components: Components) => Transport {
    const make = circuitRelayTransport(init);
    return (components) => {
      const transport = make(components) as Transport & { reservationStore?: Store };
      const store = transport.reservationStore;
      if (typeof store?.addRelay !== 'function' || typeof store.reservations?.get !== 'function')
        throw new TypeError(
          'This version of @libp2p/circuit-relay-v2 is built differently: see reservations.ts.',
        );
      this.#store = store;
      return transport;
    };
  }

  /** `none`, or `stale` when the connection that it was made over is gone. */
  at(node: Libp2p, relay: string): 'none' | 'stale' | 'good' {
    const id = peerIdFromString(relay);
    const reservation = this.#store?.reservations.get(id);
    if (!reservation) return 'none';
    const live = node
      .getConnections(id)
      .some((one) => one.id === reservation.connection && one.status === 'open');
    return live ? 'good' : 'stale';
  }

  /** Gives a stale one up for a new one. Never rejects: whether it came is asked with `at`. */
  async renew(relay: string): Promise<void> {
    // The relay may be full, or going again: the loop that asked for this looks, and dials anew.
    await this.#store?.addRelay(peerIdFromString(relay), 'discovered').catch(() => {});
  }
}
