import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Guard } from './guard/guard.ts';

/** Where the swarm takes WebSockets; libp2p dials the first. How many, in all and per address, it decides itself. */
const PATHS = ['/', '/p2p'];

export interface UpgradeOptions {
  guard: Guard;
  /**
   * Milliseconds in which whoever takes a socket must have made it its own, and in which a refused client must have
   * gone.
   */
  patience: number;
  /** True when plain HTTP is sent on to https. */
  httpsOnly: () => boolean;
}

/**
 * Hands the upgrades of `server` to the listeners of `door`, and refuses those that nobody takes.
 * @returns the sockets that were upgraded and are open
 */
export function guardUpgrades(server: Server, door: Server, options: UpgradeOptions): ReadonlySet<Duplex> {
  const { guard, patience, httpsOnly } = options;
  const open = new Set<Duplex>();
  server.on('upgrade', async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // Node takes its listeners off an upgraded socket; without this one, a reset by the client would end the relay.
    socket.on('error', () => socket.destroy());
    // `ws` switches this off when it takes the socket.
    if (socket instanceof Socket) socket.setTimeout(patience, () => socket.destroy());
    const path = (request.url ?? '').replace(/[?#].*$/, '');
    if (!PATHS.includes(path))
      return refuse(socket, '400 Bad Request', 'There is no WebSocket here. See /network.json.');
    if ((socket as Partial<TLSSocket>).encrypted !== true && httpsOnly())
      return refuse(socket, '400 Bad Request', 'This port speaks https and wss.');
    if (guard.draining) {
      guard.refused('draining');
      return refuse(socket, '503 Service Unavailable', 'This relay is stopping.', 10);
    }
    if (door.listenerCount('upgrade') === 0)
      return refuse(socket, '503 Service Unavailable', 'This relay is not in the network.');
    const wait = await guard.handshakes.take(guard.addressOf(request));
    if (wait > 0) {
      guard.refused('handshakes');
      return refuse(socket, '429 Too Many Requests', 'Too many connections.', Math.ceil(wait / 1000));
    }
    door.emit('upgrade', request, socket, head);
  });
  return open;
}

/** `retryAfter`: seconds. */
function refuse(socket: Duplex, status: string, message: string, retryAfter?: number): void {
  const body = `${message}\n`;
  const headers = ['Content-Type: text/plain', `Content-Length: ${body.length}`, 'Connection: close'];
  if (retryAfter !== undefined) headers.push(`Retry-After: ${retryAfter}`);
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
