import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { type Transport, transportSymbol } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import type { Libp2pOptions } from 'libp2p';
import { SOCKET_BUFFER_BYTES } from './limits.ts';

/**
 * What a relay dials other relays with, and their hosts through them. What may be dialled is for the gater to say.
 * @param hasTcp it has TCP already, because it listens there
 */
export function joiningTransports(hasTcp: boolean): NonNullable<Libp2pOptions['transports']> {
  return [
    outboundOnly(webSockets({ maxBufferedAmount: SOCKET_BUFFER_BYTES })),
    ...(hasTcp ? [] : [outboundOnly(tcp())]),
    outboundOnly(circuitRelayTransport()),
  ];
}

/**
 * A transport that is only dialled with. @libp2p/websockets would open a port of its own for the address that the
 * attached server stands for; the relay's circuit transport would look for other relays to be reached through, and ask
 * whoever claims to be one for a reservation. Not started, it does neither.
 */
function outboundOnly<C>(make: (components: C) => Transport): (components: C) => Transport {
  return (components) => {
    const inner = make(components);
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: inner[Symbol.toStringTag],
      dial: (address, options) => inner.dial(address, options),
      dialFilter: (addresses) => inner.dialFilter(addresses),
      listenFilter: () => [],
      createListener: (options) => inner.createListener(options),
    };
  };
}
