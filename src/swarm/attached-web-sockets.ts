import type { IncomingMessage, Server } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  setMaxListeners,
  type Transport,
  TypedEventEmitter,
  transportSymbol,
  type Upgrader,
} from '@libp2p/interface';
import { AbstractMultiaddrConnection, ipPortToMultiaddr } from '@libp2p/utils';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AddressLimits, Place } from './address-limits.ts';
import { SOCKET_BUFFER_BYTES } from './limits.ts';

/** What the node is told to listen on; the HTTP server has the real address. */
export const ATTACHED_ADDRESS = '/ip4/0.0.0.0/tcp/0/ws';
/** Paths that tabs may ask for; libp2p dials `/`. */
const PATHS = ['/', '/p2p'];
/** Noise packets are 64 KiB; each comes in a message of its own. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface AttachOptions {
  server: Server;
  /** Loopback counts in all only: a reverse proxy may be there, and would stand for everybody. */
  limits: AddressLimits;
  /** The IP address of who asks; the socket's by default. Behind a trusted proxy, what that says. */
  addressOf?: (request: IncomingMessage) => string;
}

/**
 * A libp2p transport that takes the WebSockets of an HTTP server which serves other things too: the page and the relay
 * share one port. @libp2p/websockets always opens a port of its own; a pipe to that one would hide who comes from
 * where, and cost a copy. This one also holds a sender back when a stream is not read.
 */
export function attachedWebSockets(options: AttachOptions) {
  return (components: { logger: ComponentLogger }): Transport => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: 'shoal/attached-web-sockets',
    dial: async () => {
      throw new Error('A relay dials nobody.');
    },
    dialFilter: () => [],
    listenFilter: (addresses) => addresses.filter((address) => address.toString() === ATTACHED_ADDRESS),
    createListener: ({ upgrader }: CreateListenerOptions) =>
      new AttachedListener(options, upgrader, components.logger.forComponent('shoal:attached-web-sockets')),
  });
}

class AttachedListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #options: AttachOptions;
  readonly #upgrader: Upgrader;
  readonly #log: Logger;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  readonly #open = new Set<WebSocket>();
  readonly #over = new AbortController();

  constructor(options: AttachOptions, upgrader: Upgrader, log: Logger) {
    super();
    this.#options = options;
    this.#upgrader = upgrader;
    this.#log = log;
    // Every connection that is being upgraded listens to it.
    setMaxListeners(Number.POSITIVE_INFINITY, this.#over.signal);
  }

  async listen(): Promise<void> {
    this.#options.server.on('upgrade', this.#upgrade);
    this.safeDispatchEvent('listening');
  }

  /** None: where this is reached is known to who runs the server, and to who dialled it. */
  getAddrs(): Multiaddr[] {
    return [];
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#options.server.off('upgrade', this.#upgrade);
    this.#over.abort(new Error('The relay stops.'));
    for (const socket of this.#open) socket.terminate();
    this.safeDispatchEvent('close');
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = request.url?.split('?')[0] ?? '';
    // A socket that breaks before anyone listens would end the process.
    socket.on('error', () => socket.destroy());
    if (!PATHS.includes(path)) {
      // Somebody else's, unless nobody else listens.
      if (this.#options.server.listenerCount('upgrade') === 1) refuse(socket, '404 Not Found');
      return;
    }
    const from = this.#addressOf(request);
    const place = this.#options.limits.enter(isLoopback(from) ? null : from, 'socket');
    if (!place) {
      refuse(socket, '503 Service Unavailable');
      return;
    }
    // Also when it breaks before it is a WebSocket.
    socket.once('close', place.leave);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#connected(webSocket, remoteMultiaddr(from, request.socket.remotePort ?? 0), place),
    );
  };

  #addressOf(request: IncomingMessage): string {
    const told = this.#options.addressOf?.(request) ?? '';
    // An IPv6 address may be told as its /64.
    const address = told.replace(/\/\d+$/, '');
    return isIP(address) ? address : (request.socket.remoteAddress ?? '');
  }

  #connected(socket: WebSocket, remoteAddr: Multiaddr, place: Place): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    const connection = new AttachedConnection(socket, { remoteAddr, direction: 'inbound', log: this.#log });
    this.#upgrader
      .upgradeInbound(connection, { signal: this.#over.signal })
      .then(place.upgraded)
      .catch((error: unknown) => {
        this.#log('a connection was not upgraded - %e', error);
        socket.terminate();
      });
  }
}

/** One WebSocket as libp2p wants it. */
class AttachedConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, init: ConstructorParameters<typeof AbstractMultiaddrConnection>[0]) {
    super(init);
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) this.onData(data);
      else this.abort(new Error('A WebSocket message that is no bytes.'));
    });
    // `close` follows.
    socket.on('error', () => {});
    socket.once('close', (code) => {
      if (code === 1000 || code === 1001 || code === 1005) this.onTransportClosed();
      else this.onRemoteReset();
    });
  }

  sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]) {
    for (const chunk of data) this.#socket.send(chunk);
    const canSendMore = this.#socket.bufferedAmount < SOCKET_BUFFER_BYTES;
    // An empty fragment's callback comes when everything before it was given to the kernel.
    if (!canSendMore) this.#drain();
    return { sentBytes: data.byteLength, canSendMore };
  }

  sendReset(): void {
    this.#socket.terminate();
  }

  async sendClose(): Promise<void> {
    this.#socket.close();
  }

  sendPause(): void {
    this.#socket.pause();
  }

  sendResume(): void {
    this.#socket.resume();
  }

  #drain(): void {
    this.#socket.ping(undefined, undefined, () => this.safeDispatchEvent('drain'));
  }
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address);
}

function remoteMultiaddr(address: string, port: number): Multiaddr {
  // A dual-stack server writes IPv4 addresses as IPv6 ones.
  const plain = address.replace(/^::ffff:/, '').replace(/%.*$/, '');
  return multiaddr(`${ipPortToMultiaddr(plain || '0.0.0.0', port)}/ws`);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
