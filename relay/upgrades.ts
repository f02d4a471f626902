import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Where the swarm takes WebSockets; libp2p dials the first. How many, in all and per address, it decides itself. */
const PATHS = ['/', '/p2p'];

/**
 * Refuses upgrades that nobody takes. `patience`: milliseconds in which whoever takes a socket must have made it its
 * own, and in which a refused client must have gone.
 * @returns the sockets that were upgraded and are open
 */
export function guardUpgrades(server: Server, patience: number): ReadonlySet<Duplex> {
  const open = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // Node takes its listeners off an upgraded socket; without this one, a reset by the client would end the relay.
    socket.on('error', () => socket.destroy());
    // `ws` switches this off when it takes the socket.
    if (socket instanceof Socket) socket.setTimeout(patience, () => socket.destroy());
    const path = (request.url ?? '').replace(/[?#].*$/, '');
    if (!PATHS.includes(path))
      refuse(socket, '400 Bad Request', 'There is no WebSocket here. See /network.json.');
    else if (server.listenerCount('upgrade') === 1)
      refuse(socket, '503 Service Unavailable', 'This relay is not in the network.');
  });
  return open;
}

function refuse(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  const headers = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`, () => socket.destroy());
}
