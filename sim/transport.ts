import {
  type Link,
  type PeerAddress,
  type Transport,
  TransportError,
  type TransportListener,
} from '../src/swarm/index.ts';
import { MAX_FRAME_BYTES } from '../src/wire/index.ts';
import { type Connection, Waiting } from './connection.ts';
import { kindOf } from './kind.ts';
import type { FrameEvent, Network } from './network.ts';
import type { Actor } from './scheduler.ts';

/** Milliseconds for which a peer that broke the rules is refused. */
const REFUSED_MS = 60_000;
/** A dial that nobody answers gives up after this long. */
const DIAL_MS = 5_000;
/** Way of a frame to the own listeners. */
const LOOPBACK_MS = 0.05;

interface Dial {
  waiting: { frame: Uint8Array; done: Waiting<void> }[];
}

/** One peer's end of the network. */
export class SimTransport implements Transport {
  readonly self: string;
  readonly publicKey: string;
  /** Connections that this end believes in. */
  readonly connections = new Map<string, Connection>();
  /** Frames that wait for a connection or are being held by a slow reader. */
  held = 0;
  readonly #listeners = new Set<TransportListener>();
  readonly #dials = new Map<string, Dial>();
  readonly #refused = new Map<string, number>();
  /** Frames that a slow reader holds. */
  readonly #writing = new Map<Waiting<void>, Connection>();
  readonly #bytes = new Map<string, { in: number; out: number }>();

  constructor(
    private readonly network: Network,
    name: string,
    readonly actor: Actor,
  ) {
    this.self = name;
    this.publicKey = Array.from({ length: 32 }, (_, i) =>
      (name.charCodeAt(i % name.length) & 0xff).toString(16).padStart(2, '0'),
    ).join('');
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  addresses(): string[] {
    return [`/memory/${this.self}`];
  }

  async send(to: PeerAddress, frame: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted) throw new TransportError('aborted', 'Sending was stopped.');
    if (frame.length - 4 > MAX_FRAME_BYTES)
      throw new TransportError('too-large', `A frame of ${frame.length} bytes cannot be sent.`);
    const done = new Waiting<void>(this.network.scheduler, this.actor, `${this.self} sent`);
    // The bytes are the caller's again when this returns.
    const bytes = frame.slice();
    if (to.peer === this.self) this.#loop(bytes, done);
    else {
      const connection = this.connections.get(to.peer);
      if (connection) this.#write(connection, bytes, done);
      else this.#dial(to.peer, bytes, done);
    }
    const stop = () => {
      if (!done.settled) done.reject(new TransportError('aborted', 'Sending was stopped.'));
    };
    signal?.addEventListener('abort', stop);
    this.held++;
    try {
      await done.promise;
    } finally {
      this.held--;
      signal?.removeEventListener('abort', stop);
    }
  }

  listen(listener: TransportListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  link(peer: string): Link | null {
    const connection = this.connections.get(peer);
    if (!connection && peer !== this.self) return null;
    const bytes = this.#count(peer);
    return {
      peer,
      path: connection ? 'direct' : 'local',
      roundTripMs: connection ? 2 * connection.shape.latencyMs : 2 * LOOPBACK_MS,
      bytesIn: bytes.in,
      bytesOut: bytes.out,
    };
  }

  links(): Link[] {
    return [...this.connections.keys()].map((peer) => this.link(peer)!);
  }

  cutOff(peer: string, reason: string): void {
    this.#refused.set(peer, this.network.scheduler.now + REFUSED_MS);
    const connection = this.connections.get(peer);
    if (!connection) return;
    connection.alive = false;
    this.lose(connection, reason);
    const other = this.network.peer(peer);
    this.network.scheduler.after(connection.shape.latencyMs, other.actor, `${peer} cut off`, () =>
      other.lose(connection, 'the other side hung up'),
    );
  }

  /** This end learns that a connection is over; the listeners hear of it once. */
  lose(connection: Connection, reason: string): void {
    const peer = connection.other(this.self);
    if (this.connections.get(peer) !== connection) return;
    this.connections.delete(peer);
    for (const [done, used] of this.#writing) {
      if (used !== connection) continue;
      this.#writing.delete(done);
      if (!done.settled) done.reject(new TransportError('gone', `The link to ${peer} closed.`));
    }
    for (const hook of this.network.hooks) hook.lost?.(this.self, peer);
    for (const listener of [...this.#listeners]) listener.gone(peer, reason);
  }

  /** Hands a frame to the listeners, as it came over a connection (null: whatever its connection has become). */
  receive(from: string, bytes: Uint8Array, connection: Connection | null, again = false): void {
    if (connection && this.connections.get(from) !== connection) return;
    const frame: FrameEvent = { from, to: this.self, kind: kindOf(bytes), bytes, again };
    for (const hook of this.network.hooks) if (hook.arriving && !hook.arriving(frame)) return;
    if (this.actor.state !== 'running') return;
    this.#count(from).in += bytes.length;
    for (const listener of [...this.#listeners]) listener.frame(from, frame.bytes.slice(4));
    for (const hook of this.network.hooks) hook.arrived?.(frame);
  }

  #loop(bytes: Uint8Array, done: Waiting<void>): void {
    const { scheduler } = this.network;
    this.#count(this.self).out += bytes.length;
    scheduler.after(LOOPBACK_MS, this.actor, `${this.self} > itself`, () =>
      this.receive(this.self, bytes, null),
    );
    done.resolveAt(scheduler.now, undefined);
  }

  #write(connection: Connection, bytes: Uint8Array, done: Waiting<void>): void {
    const { scheduler, random, hooks } = this.network;
    const to = connection.other(this.self);
    const frame: FrameEvent = { from: this.self, to, kind: kindOf(bytes), bytes };
    const leaves = hooks.every((hook) => hook.sending?.(frame) ?? true);
    this.#count(to).out += bytes.length;
    const jitter = random.between(0, connection.shape.jitterMs);
    const { written, arrives } = connection.plan(this.self, frame.bytes.length, scheduler.now, jitter);
    this.#writing.set(done, connection);
    scheduler.at(written, this.actor, `${this.self} wrote`, () => {
      this.#writing.delete(done);
      if (!done.settled) done.resolve();
    });
    if (!leaves || !connection.alive || connection.from(this.self).lossy || this.actor.state !== 'running')
      return;
    const receiver = this.network.peer(to);
    scheduler.at(arrives, receiver.actor, `${this.self} > ${to} ${frame.kind}`, () =>
      receiver.receive(this.self, frame.bytes, connection),
    );
  }

  #dial(peer: string, frame: Uint8Array, done: Waiting<void>): void {
    const under = this.#dials.get(peer);
    if (under) {
      under.waiting.push({ frame, done });
      return;
    }
    const dial: Dial = { waiting: [{ frame, done }] };
    this.#dials.set(peer, dial);
    const { scheduler, random } = this.network;
    const { latencyMs } = this.network.shape(this.self, peer);
    const other = this.network.peers.get(peer);
    // Signalling over the relay and the handshake: about three round trips.
    const handshake = 6 * latencyMs + random.between(0, 20);
    const answers = other && other.actor.state !== 'dead' && !this.network.noDials;
    const takes = answers ? handshake : random.between(200, 2000);
    scheduler.after(takes, this.actor, `${this.self} dials ${peer}`, () => {
      const ready = this.network.alive(peer) && !this.network.noDials;
      if (ready && !this.#refuses(peer) && !other!.#refuses(this.self)) return this.#join(dial, other!);
      const wait = other?.actor.state === 'frozen' ? DIAL_MS : 0;
      scheduler.after(wait, this.actor, `${this.self} gives up on ${peer}`, () => {
        this.#dials.delete(peer);
        for (const { done: waiting } of dial.waiting)
          waiting.reject(new TransportError('unreachable', `${peer} does not answer.`));
      });
    });
  }

  #join(dial: Dial, other: SimTransport): void {
    this.#dials.delete(other.self);
    // Both may have dialled at once: the first connection stays.
    let connection = this.connections.get(other.self);
    if (!connection) {
      connection = this.network.connect(this.self, other.self);
      const old = other.connections.get(this.self);
      // The other end has not noticed yet that the last connection is over. Now it does, unless its stack just puts
      // the new one in the place of the old.
      if (old && this.network.random.chance(0.5)) other.lose(old, 'replaced by a new connection');
      this.connections.set(other.self, connection);
      other.connections.set(this.self, connection);
    }
    for (const { frame, done } of dial.waiting) if (!done.settled) this.#write(connection, frame, done);
  }

  #refuses(peer: string): boolean {
    return (this.#refused.get(peer) ?? 0) > this.network.scheduler.now;
  }

  #count(peer: string): { in: number; out: number } {
    let bytes = this.#bytes.get(peer);
    if (!bytes) {
      bytes = { in: 0, out: 0 };
      this.#bytes.set(peer, bytes);
    }
    return bytes;
  }
}
