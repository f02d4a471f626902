import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsSource } from './source.ts';

/** First byte of a TLS record that holds a handshake; no HTTP method begins with it. RFC 8446, 5.1. */
const HANDSHAKE = 0x16;
/** A fatal alert `handshake_failure`, so that a client is told at once rather than cut off. RFC 8446, 6. */
const NO_HANDSHAKE = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);

export interface TlsListenerOptions {
  source: TlsSource;
  /** Milliseconds until the first byte, and from there until the end of the handshake. */
  patience: number;
  /** Takes a socket that speaks HTTP: as it came, or decrypted. */
  serve(socket: Socket): void;
}

/** Tells TLS from plain HTTP by the first byte of a connection, and decrypts the former. */
export class TlsListener {
  readonly #options: TlsListenerOptions;
  /** Made with the first certificate. It never listens: it gets its sockets from here. */
  #server: Server | null = null;
  readonly #stopListening: () => void;

  constructor(options: TlsListenerOptions) {
    this.#options = options;
    const first = options.source.current();
    if (first) this.#use(first);
    this.#stopListening = options.source.onChange((certificate) => this.#use(certificate));
  }

  take(socket: Socket): void {
    const { patience } = this.#options;
    const destroy = () => socket.destroy();
    const look = () => {
      const first: Buffer | null = socket.read(1);
      // The other end is gone, or nothing came yet.
      if (first === null) return;
      socket.off('readable', look).off('timeout', destroy).off('end', destroy);
      socket.setTimeout(0);
      socket.unshift(first);
      const server = this.#server;
      if (first[0] !== HANDSHAKE) {
        socket.off('error', destroy);
        this.#options.serve(socket);
      } else if (server) server.emit('connection', socket);
      else socket.end(NO_HANDSHAKE, destroy);
    };
    socket.setTimeout(patience, destroy);
    socket.on('error', destroy).on('end', destroy).on('readable', look);
  }

  close(): void {
    this.#stopListening();
    this.#server?.removeAllListeners();
  }

  #use({ key, cert }: { key: string; cert: string }): void {
    if (this.#server) {
      // Connections that are open keep the old one until they end.
      this.#server.setSecureContext({ key, cert, minVersion: 'TLSv1.2' });
      return;
    }
    const options = {
      key,
      cert,
      minVersion: 'TLSv1.2' as const,
      // WebSockets and the rest are HTTP/1.1 here; without this list some clients guess HTTP/2.
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#options.patience,
    };
    this.#server = createServer(options, (socket: TLSSocket) => this.#options.serve(socket));
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }
}
