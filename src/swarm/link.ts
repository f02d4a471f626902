import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface';
import { FrameReader } from '../wire/index.ts';
import { pathOf } from './addresses.ts';
import { isOpen } from './drain.ts';
import {
  FRAME_BURST,
  FRAME_PROTOCOL,
  MAX_FRAMES_PER_SECOND,
  OPEN_STREAM_MS,
  PULSE_PROTOCOL,
  SLOWEST_LINK,
} from './limits.ts';
import { Outbox } from './outbox.ts';
import { PULSE_BYTES, Pulse } from './pulse.ts';
import { RateLimit } from './rate.ts';
import { type Clock, type LinkPath, TransportError } from './types.ts';
import { sendWhole } from './whole-messages.ts';

export interface LinkOptions {
  clock: Clock;
  /** The connection that the outgoing stream takes. */
  connect: () => Promise<Connection>;
  frame: (body: Uint8Array) => void;
  /** The link is over. `silent`: the peer closed nothing, it just does not answer any more. Told once. */
  lost: (reason: string, silent: boolean) => void;
  /** It could not be opened in the first place. */
  failed: () => void;
  /** The peer sent what no honest program sends. */
  broke: (reason: string) => void;
  /** Bytes held for unfinished frames changed by so many. @returns false when that is too much */
  held: (change: number) => boolean;
}

/** Connections tried for one stream: one that looks open may be what is left of a peer that is gone. */
const ATTEMPTS = 2;

/** Everything between this peer and one other: the stream of frames each way, the pulse, the counts. */
export class Link {
  readonly peer: string;
  bytesIn = 0;
  bytesOut = 0;
  /** Frames went one way or the other: its loss is worth telling. */
  established = false;
  readonly outbox: Outbox;
  readonly #options: LinkOptions;
  readonly #streams = new Set<Stream>();
  readonly #rate: RateLimit;
  #carrier: Connection | null = null;
  #inbound: Stream | null = null;
  #pulse: Pulse | null = null;
  #pulses: Stream[] = [];
  /** Bytes sent since anything came: what a question may have to wait for. */
  #unheardBytes = 0;
  #over = false;

  constructor(peer: string, options: LinkOptions) {
    this.peer = peer;
    this.#options = options;
    this.#rate = new RateLimit(options.clock, MAX_FRAMES_PER_SECOND, FRAME_BURST);
    this.outbox = new Outbox({
      peer,
      open: () => this.#open(),
      sent: (bytes) => {
        this.bytesOut += bytes;
        this.#unheardBytes += bytes;
      },
    });
  }

  get path(): LinkPath {
    return this.#carrier ? pathOf(this.#carrier.remoteAddr) : 'none';
  }

  get roundTripMs(): number | null {
    return this.#pulse?.roundTripMs ?? null;
  }

  /** The peer's stream of frames has come already. */
  get hasInbound(): boolean {
    return this.#inbound !== null;
  }

  /** The connection that the peer chose for its frames. */
  get carrier(): Connection | null {
    return this.#carrier?.status === 'open' ? this.#carrier : null;
  }

  adoptInbound(stream: Stream, connection: Connection): void {
    this.#inbound = stream;
    this.#carrier ??= connection;
    this.established = true;
    this.#watch(stream);
    const reader = new FrameReader((body) => {
      if (this.#over) return;
      if (this.#rate.take()) this.#options.frame(body);
      else this.#options.broke('it floods this peer with frames');
    });
    let counted = 0;
    const count = (held: number) => {
      const change = held - counted;
      counted = held;
      return this.#options.held(change);
    };
    stream.addEventListener('close', () => count(0), { once: true });
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      try {
        for (const chunk of chunks(data)) {
          if (this.#over) return;
          this.bytesIn += chunk.length;
          reader.push(chunk);
        }
      } catch {
        return this.#options.broke('it sent what is no frame');
      }
      this.#heard();
      if (!this.#over && !count(reader.held)) this.#options.broke('unfinished frames take too much memory');
    });
  }

  adoptPulse(stream: Stream): void {
    if (this.#pulses.length >= 2) {
      stream.abort(new Error('One pulse each way is enough.'));
      return;
    }
    this.#pulses.push(stream);
    this.#watch(stream);
    const rest = new Uint8Array(PULSE_BYTES);
    let have = 0;
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      this.#heard();
      for (const chunk of chunks(data))
        for (const byte of chunk) {
          rest[have++] = byte;
          if (have < PULSE_BYTES || this.#over) continue;
          have = 0;
          if (this.#pulse?.take(rest) === false) return this.#options.broke('it sent what is no pulse');
        }
    });
    if (this.#pulse) return;
    this.#pulse = new Pulse({
      clock: this.#options.clock,
      send: (message) => this.#sendPulse(message),
      gone: (reason) => this.#lose(reason, true),
      // A direct link carries each stream for itself; a WebSocket and a circuit carry all in one line.
      backlogMs: () => (this.path === 'direct' ? 0 : this.#unheardBytes / SLOWEST_LINK),
    });
    this.#pulse.begin();
  }

  /** Something hints that the peer is gone. */
  suspect(): void {
    this.#pulse?.suspect();
  }

  goodbye(): void {
    this.#pulse?.goodbye();
  }

  /** Ends it from this side. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#pulse?.stop();
    const error = new TransportError('gone', `The link to peer ${this.peer} is over: ${reason}.`);
    this.outbox.end(error);
    for (const stream of this.#streams) stream.abort(error);
    this.#streams.clear();
  }

  async #open(): Promise<Stream> {
    try {
      for (let attempt = 1; ; attempt++) {
        const connection = await this.#options.connect();
        const stream = await this.#openOn(connection, attempt < ATTEMPTS);
        if (stream) return stream;
      }
    } catch (error) {
      const failure =
        error instanceof TransportError
          ? error
          : new TransportError('unreachable', `Peer ${this.peer} takes no frames.`, { cause: error });
      // Whoever waits learns it now; the next frame tries anew.
      if (!this.established && !this.#over) {
        this.#over = true;
        this.outbox.end(failure);
        this.#options.failed();
      }
      throw failure;
    }
  }

  /** @returns null when the connection turned out to be dead and another may be tried */
  async #openOn(connection: Connection, more: boolean): Promise<Stream | null> {
    const options = { runOnLimitedConnection: true, signal: AbortSignal.timeout(OPEN_STREAM_MS) };
    let stream: Stream;
    try {
      stream = await connection.newStream(FRAME_PROTOCOL, options);
    } catch (error) {
      if (options.signal.aborted) connection.abort(new Error('It does not answer.'));
      if (more && connection.status !== 'open') return null;
      throw error;
    }
    if (this.#over) {
      const error = new TransportError('gone', `The link to peer ${this.peer} is over.`);
      stream.abort(error);
      throw error;
    }
    sendWhole(stream);
    this.#carrier = connection;
    this.established = true;
    this.#watch(stream);
    connection.newStream(PULSE_PROTOCOL, options).then(
      (pulse) => {
        if (this.#over) pulse.abort(new Error('The link is over.'));
        else this.adoptPulse(pulse);
      },
      // A peer that has no pulse is watched by libp2p's monitor alone.
      () => {},
    );
    return stream;
  }

  #heard(): void {
    this.#unheardBytes = 0;
    this.#pulse?.heard();
  }

  #sendPulse(message: Uint8Array): void {
    const stream = this.#pulses.find(isOpen);
    // A pulse that does not get through is what its deadline is for; it must not pile up either.
    if (!stream || stream.writableNeedsDrain) return;
    try {
      stream.send(message);
    } catch {
      // The stream is closing; its `close` ends the link.
    }
  }

  /** The end of any stream is the end of the link: what was on its way may be lost. */
  #watch(stream: Stream): void {
    this.#streams.add(stream);
    const ended = () => this.#lose('its connection closed', false);
    stream.addEventListener('close', ended);
    stream.addEventListener('remoteCloseWrite', ended);
    if (!isOpen(stream)) queueMicrotask(ended);
  }

  #lose(reason: string, silent: boolean): void {
    if (this.#over) return;
    this.end(reason);
    this.#options.lost(reason, silent);
  }
}

/** A message as it came: one piece, or several that were put together. */
function chunks(data: StreamMessageEvent['data']): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data;
}
