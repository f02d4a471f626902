import type { Connection, Stream } from '@libp2p/interface';

/** The parts of the server of @libp2p/circuit-relay-v2 4.2.13 that its interface leaves out. */
interface InnerServer {
  onHop(stream: Stream, connection: Connection): Promise<void>;
  stopHop(...of: unknown[]): Promise<Stream | undefined>;
}

/**
 * Counts the bytes that a circuit relay server passes on, in both directions. A relayed connection is two streams, one
 * from each peer, and everything sent on either is for the other peer; but for the server's own answer, which is the
 * first message on the stream of who asked.
 * @throws TypeError when a later version looks different
 */
export function countRelayed<Server extends object>(server: Server, add: (bytes: number) => void): Server {
  const inner = server as Server & Partial<InnerServer>;
  const { onHop, stopHop } = inner;
  if (!onHop || !stopHop)
    throw new TypeError(
      'This version of @libp2p/circuit-relay-v2 is built differently: see swarm/relayed-bytes.ts.',
    );
  inner.onHop = (stream, connection) => {
    countSent(stream, 1, add);
    return onHop.call(server, stream, connection);
  };
  // It is given back when both have agreed: everything after that is theirs.
  inner.stopHop = async (...of) => {
    const stream = await stopHop.apply(server, of);
    if (stream) countSent(stream, 0, add);
    return stream;
  };
  return server;
}

function countSent(stream: Stream, skip: number, add: (bytes: number) => void): void {
  const send = stream.send.bind(stream);
  let sent = 0;
  stream.send = (data) => {
    if (sent++ >= skip) add(data.byteLength);
    return send(data);
  };
}
