import { Connection, type LinkShape } from './connection.ts';
import type { Random } from './random.ts';
import { Actor, type Scheduler } from './scheduler.ts';
import { SimTransport } from './transport.ts';

/** One frame on its way, with its length before it. */
export interface FrameEvent {
  from: string;
  to: string;
  /** The `kind` of the message, `?` when it has none. */
  kind: string;
  bytes: Uint8Array;
  /** It is a fault itself: other faults leave it alone. */
  again?: boolean;
}

/** Sees and changes frames: where faults come in. */
export interface FrameHook {
  /** Before it leaves. False: it never does. `frame.bytes` may be replaced. */
  sending?(frame: FrameEvent): boolean;
  /** Before it is handed over. False: it is lost. */
  arriving?(frame: FrameEvent): boolean;
  /** Right after it was handed over, before any promise went on. */
  arrived?(frame: FrameEvent): void;
  /** One end of a link learned that it is over. */
  lost?(end: string, other: string): void;
}

/** How others learn that a peer is gone. */
export type Death = 'goodbye' | 'crash' | 'silent';

/** A ping every 2 s that waits for 1 to 1.5 s: what nobody announces is seen after this long. */
const PING_MS = [1000, 3500] as const;

/** All peers of a world and the connections between them. */
export class Network {
  readonly peers = new Map<string, SimTransport>();
  readonly hooks: FrameHook[] = [];
  /** No new connection can be made: the relay, which carries the signalling, is away. */
  noDials = false;
  readonly world = new Actor('world');
  #connections = 0;

  constructor(
    readonly scheduler: Scheduler,
    readonly random: Random,
    readonly shape: (a: string, b: string) => LinkShape,
  ) {}

  join(name: string): SimTransport {
    const peer = new SimTransport(this, name, new Actor(name));
    this.peers.set(name, peer);
    return peer;
  }

  peer(name: string): SimTransport {
    const peer = this.peers.get(name);
    if (!peer) throw new Error(`no peer ${name} in this world`);
    return peer;
  }

  alive(name: string): boolean {
    return this.peers.get(name)?.actor.state === 'running';
  }

  connect(a: string, b: string): Connection {
    return new Connection(++this.#connections, a, b, this.shape(a, b));
  }

  /** Ends a peer at this instant: none of its code runs any more. What it has written still arrives. */
  kill(name: string, death: Death): void {
    const dead = this.peer(name);
    if (dead.actor.state === 'dead') return;
    dead.actor.state = 'dead';
    for (const [other, connection] of dead.connections) {
      connection.alive = false;
      this.#tell(other, connection, this.#delay(death, connection), death);
    }
  }

  /** Stops a peer without closing anything; it may go on later. */
  freeze(name: string, ms: number): void {
    const { scheduler } = this;
    const peer = this.peer(name);
    if (peer.actor.state !== 'running') return;
    scheduler.freeze(peer.actor);
    for (const [other, connection] of peer.connections) {
      const delay = this.random.between(...PING_MS);
      if (delay >= ms) continue;
      this.#tell(other, connection, delay, 'no answer to a ping');
      // It sees that the others hung up, once it runs again.
      scheduler.after(delay, this.world, 'hung up', () => {
        connection.alive = false;
        this.#tell(name, connection, 0, 'the other side hung up');
      });
    }
    scheduler.after(ms, this.world, 'thaw', () => scheduler.thaw(peer.actor));
  }

  /** Cuts a connection; each side notices in its own time. */
  breakLink(a: string, b: string, how: 'closed' | 'half-open' | 'stalled', ms = 0): boolean {
    const connection = this.peers.get(a)?.connections.get(b);
    if (!connection || !this.alive(a) || !this.alive(b)) return false;
    this.scheduler.onEvent?.(this.scheduler.now, '***', `LINK ${a} ${b} ${how}`);
    if (how === 'closed') {
      connection.alive = false;
      this.#tell(a, connection, this.random.between(0, 60), 'link closed');
      this.#tell(b, connection, this.random.between(0, 60), 'link closed');
      return true;
    }
    if (how === 'half-open') connection.from(a).lossy = true;
    else {
      for (const side of [a, b]) connection.from(side).stalledUntil = this.scheduler.now + ms;
      if (ms < PING_MS[1]) return true;
    }
    for (const side of [a, b]) {
      const delay = this.random.between(...PING_MS);
      this.#tell(side, connection, delay, 'no answer to a ping');
    }
    return true;
  }

  /** Lets one end of a connection learn that it is over. */
  #tell(peer: string, connection: Connection, ms: number, reason: string): void {
    const end = this.peer(peer);
    this.scheduler.after(ms, end.actor, `${peer} loses ${connection.other(peer)}`, () => {
      connection.alive = false;
      end.lose(connection, reason);
    });
  }

  #delay(death: Death, { shape }: Connection): number {
    if (death === 'goodbye') return shape.latencyMs;
    // A closed circuit at the relay tells within this (facts/libp2p.md).
    if (death === 'crash') return shape.latencyMs + this.random.between(20, 60);
    return this.random.between(...PING_MS);
  }
}
