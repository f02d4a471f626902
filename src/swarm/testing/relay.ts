import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createRelaySwarm, type RelaySwarm, type RelaySwarmOptions } from '../node.ts';
import { relayAddress } from '../relay-address.ts';
import type { Transport, TransportListener } from '../types.ts';

export interface TestRelay {
  swarm: RelaySwarm;
  server: Server;
  port: number;
  /** Multiaddr to dial. */
  address: string;
  /** Breaks every connection, as a power cut would, and goes on. */
  breakConnections(): void;
  stop(): Promise<void>;
}

/** A relay on a loopback port, with a web server around it as in the product. */
export async function startRelay(
  options: Omit<RelaySwarmOptions, 'attachTo'> & { port?: number } = {},
): Promise<TestRelay> {
  const server = createServer((_request, response) => response.end('the page'));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const swarm = await createRelaySwarm({ ...options, attachTo: server });
  const { port } = server.address() as AddressInfo;
  return {
    swarm,
    server,
    port,
    address: relayAddress(`http://127.0.0.1:${port}/`, swarm.peer),
    breakConnections() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      await swarm.close('the test is over');
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A frame of that size, its length included, filled with a byte. */
export function frameOf(bytes: number, fill = 0): Uint8Array {
  const frame = new Uint8Array(4 + bytes).fill(fill);
  new DataView(frame.buffer).setUint32(0, bytes);
  return frame;
}

/** Everything that a transport tells, to be waited for. */
export class Heard implements TransportListener {
  readonly frames: { from: string; bytes: Uint8Array }[] = [];
  readonly losses: { peer: string; reason: string }[] = [];
  #waiting: (() => void)[] = [];

  constructor(transport: Transport) {
    transport.listen(this);
  }

  frame(from: string, bytes: Uint8Array): void {
    this.frames.push({ from, bytes });
    this.#wake();
  }

  gone(peer: string, reason: string): void {
    this.losses.push({ peer, reason });
    this.#wake();
  }

  /** Resolves as soon as that is so; the test's own timeout is the deadline. */
  async when(so: (heard: this) => boolean): Promise<void> {
    while (!so(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
