import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { MAX_FRAME_BYTES } from '../wire/index.ts';
import { pathOf } from './addresses.ts';
import type { Connector } from './connector.ts';
import type { Refused } from './gater.ts';
import { laterTasks } from './later.ts';
import {
  FRAME_PROTOCOL,
  LENGTH_BYTES,
  MAX_QUEUED_BYTES,
  MAX_UNFINISHED_BYTES,
  PULSE_PROTOCOL,
} from './limits.ts';
import { Link } from './link.ts';
import {
  type Clock,
  type Link as LinkInfo,
  type PeerAddress,
  type Transport,
  TransportError,
  type TransportListener,
} from './types.ts';

export interface PeerTransportOptions {
  clock: Clock;
  connector: Connector;
  refused: Refused;
  /** Peers linked at once, at most. */
  maxLinks: number;
  addresses: () => string[];
}

/** Streams of one protocol and direction per connection: one, and one that is being replaced. */
const STREAMS = { runOnLimitedConnection: true, maxInboundStreams: 2, maxOutboundStreams: 2 };

/** Frames over libp2p streams. */
export class PeerTransport implements Transport {
  readonly self: string;
  readonly publicKey: string;
  readonly #node: Libp2p;
  readonly #options: PeerTransportOptions;
  readonly #links = new Map<string, Link>();
  readonly #listeners = new Set<TransportListener>();
  readonly #later = laterTasks();
  #unfinishedBytes = 0;
  #loopbackBytes = 0;
  #closed: string | null = null;

  private constructor(node: Libp2p, options: PeerTransportOptions) {
    this.#node = node;
    this.#options = options;
    this.self = node.peerId.toString();
    const key = node.peerId.publicKey?.raw ?? new Uint8Array();
    this.publicKey = Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('');
    node.addEventListener('connection:close', ({ detail }) => this.#connectionClosed(detail));
  }

  static async on(node: Libp2p, options: PeerTransportOptions): Promise<PeerTransport> {
    const transport = new PeerTransport(node, options);
    await node.handle(FRAME_PROTOCOL, (...from) => transport.#framesFrom(...from), STREAMS);
    await node.handle(PULSE_PROTOCOL, (...from) => transport.#pulseFrom(...from), STREAMS);
    return transport;
  }

  addresses(): string[] {
    return this.#options.addresses();
  }

  /** `frame` is a whole one with its length before it, as `encodeMessage` makes it; it must not be changed afterwards. */
  async send(to: PeerAddress, frame: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed !== null) throw new TransportError('closed', `The network is closed: ${this.#closed}.`);
    checkFrame(frame);
    const { signal } = options;
    if (signal?.aborted)
      throw new TransportError('aborted', 'Sending was aborted.', { cause: signal.reason });
    if (to.peer === this.self) return this.#sendToSelf(frame);
    await this.#linkTo(to).outbox.send(frame, signal);
  }

  listen(listener: TransportListener): () => void {
    const own = { ...bound(listener) };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  link(peer: string): LinkInfo | null {
    if (peer === this.self) return { peer, path: 'local', roundTripMs: 0, bytesIn: 0, bytesOut: 0 };
    const link = this.#links.get(peer);
    return link?.established ? describe(link) : null;
  }

  links(): LinkInfo[] {
    return [...this.#links.values()].filter(({ established }) => established).map(describe);
  }

  cutOff(peer: string, reason: string): void {
    if (peer === this.self) return;
    this.#options.refused.add(peer);
    this.#drop(peer, `it was cut off: ${reason}`);
    this.#abortConnections(peer);
  }

  /** Tells every linked peer at once, without waiting: a page that is being closed has no time. */
  goodbye(): void {
    for (const link of this.#links.values()) link.goodbye();
  }

  /** Ends every link; each listener hears `gone` for each. */
  close(reason: string): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    for (const peer of [...this.#links.keys()]) this.#drop(peer, reason);
    this.#later.close();
  }

  #linkTo(to: PeerAddress): Link {
    const known = this.#links.get(to.peer);
    if (known) return known;
    if (this.#options.refused.has(to.peer))
      throw new TransportError('gone', `Peer ${to.peer} was cut off and is refused for a while.`);
    if (!isPeerId(to.peer)) throw new TransportError('unreachable', 'That is no peer id.');
    const addrs = [...to.addrs];
    const link = this.#makeLink(to.peer, () => addrs);
    if (!link)
      throw new TransportError('unreachable', 'This peer has as many links as it can hold; close some.');
    return link;
  }

  #makeLink(peer: string, addrs: () => readonly string[]): Link | null {
    if (this.#links.size >= this.#options.maxLinks) return null;
    const { clock, connector } = this.#options;
    const link: Link = new Link(peer, {
      clock,
      // A peer that came over a circuit has tried the direct way already.
      connect: async () => connector.best(peer) ?? link.carrier ?? connector.connect(peer, addrs()),
      frame: (body) => this.#tell((listener) => listener.frame(peer, body)),
      lost: (reason, silent) => {
        this.#drop(peer, reason);
        if (silent) this.#abortConnections(peer);
      },
      failed: () => {
        if (this.#links.get(peer) === link) this.#links.delete(peer);
      },
      broke: (reason) => this.cutOff(peer, reason),
      held: (change) => {
        this.#unfinishedBytes += change;
        return this.#unfinishedBytes <= MAX_UNFINISHED_BYTES;
      },
    });
    this.#links.set(peer, link);
    return link;
  }

  #framesFrom(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString();
    // A second stream of frames: the peer lost the first one, and this side has not noticed yet.
    if (this.#links.get(peer)?.hasInbound) this.#drop(peer, 'it connected anew');
    const link = this.#incoming(peer, stream);
    link?.adoptInbound(stream, connection);
  }

  #pulseFrom(stream: Stream, connection: Connection): void {
    this.#incoming(connection.remotePeer.toString(), stream)?.adoptPulse(stream);
  }

  #incoming(peer: string, stream: Stream): Link | null {
    const refused = this.#closed !== null || this.#options.refused.has(peer);
    const link = refused ? null : (this.#links.get(peer) ?? this.#makeLink(peer, () => []));
    if (!link) stream.abort(new Error('This peer takes no more links.'));
    return link;
  }

  #drop(peer: string, reason: string): void {
    const link = this.#links.get(peer);
    if (!link) return;
    this.#links.delete(peer);
    link.end(reason);
    if (link.established) this.#tell((listener) => listener.gone(peer, reason));
  }

  /** The next stream must not take a connection that leads nowhere. */
  #abortConnections(peer: string): void {
    for (const connection of this.#node.getConnections(peerIdFromString(peer)))
      connection.abort(new Error('The peer is gone or cut off.'));
  }

  /** The circuit that a direct connection was arranged over closes when the peer's tab does, or when the relay dies. */
  #connectionClosed({ remotePeer, remoteAddr }: Connection): void {
    const link = this.#links.get(remotePeer.toString());
    if (link && pathOf(remoteAddr) === 'relayed' && link.path !== 'relayed') link.suspect();
  }

  #sendToSelf(frame: Uint8Array): Promise<void> {
    if (this.#loopbackBytes + frame.length > MAX_QUEUED_BYTES)
      throw new TransportError('too-large', 'Too much waits for this very peer.');
    this.#loopbackBytes += frame.length;
    const body = frame.slice(LENGTH_BYTES);
    return new Promise((resolve) => {
      this.#later.run(() => {
        this.#loopbackBytes -= frame.length;
        this.#tell((listener) => listener.frame(this.self, body));
        resolve();
      });
    });
  }

  #tell(what: (listener: TransportListener) => void): void {
    for (const listener of [...this.#listeners]) {
      try {
        what(listener);
      } catch (error) {
        // One listener's mistake is neither the peer's nor the other listeners'.
        console.error('A listener of the swarm failed:', error);
      }
    }
  }
}

function bound(listener: TransportListener): TransportListener {
  return {
    frame: (from, bytes) => listener.frame(from, bytes),
    gone: (peer, reason) => listener.gone(peer, reason),
  };
}

function describe(link: Link): LinkInfo {
  const { peer, path, roundTripMs, bytesIn, bytesOut } = link;
  return { peer, path, roundTripMs, bytesIn, bytesOut };
}

function isPeerId(text: string): boolean {
  try {
    return peerIdFromString(text).toString() === text;
  } catch {
    return false;
  }
}

function checkFrame(frame: Uint8Array): void {
  const body = frame.length - LENGTH_BYTES;
  if (body > MAX_FRAME_BYTES)
    throw new TransportError('too-large', `A frame has ${body} bytes; ${MAX_FRAME_BYTES} are allowed.`);
  if (body < 1 || new DataView(frame.buffer, frame.byteOffset).getUint32(0) !== body)
    throw new TransportError('too-large', 'The length before the frame is not that of the frame.');
}
