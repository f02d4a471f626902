import type { CreateListenerOptions, Listener, Transport } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import type { AddressLimits } from './address-limits.ts';
import { countedUpgrader } from './counted-upgrader.ts';

/** Connections that the kernel holds for a relay whose thread is busy; Node's default. */
const BACKLOG = 511;

export interface CountedTcpOptions {
  limits: AddressLimits;
  /** Sockets in all. */
  connections: number;
  /** Told of each listener that is made. */
  listening: (listener: Listener) => void;
}

/** TCP for native peers and other relays, under the limits per address. */
export function countedTcp({ limits, connections, listening }: CountedTcpOptions) {
  const make = tcp({ maxConnections: connections, backlog: BACKLOG });
  return (components: Parameters<typeof make>[0]): Transport => {
    const transport = make(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options: CreateListenerOptions) => {
      const listener = createListener({ ...options, upgrader: countedUpgrader(options.upgrader, limits) });
      listening(listener);
      return listener;
    };
    return transport;
  };
}
