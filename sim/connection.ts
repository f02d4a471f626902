import type { Actor, Scheduler } from './scheduler.ts';

/** How a pair of peers is joined. */
export interface LinkShape {
  /** One way, milliseconds. */
  latencyMs: number;
  /** Bytes per millisecond. */
  bandwidth: number;
  /** Most that is added to the latency of one frame. */
  jitterMs: number;
  /** Bytes that one direction takes before it holds the sender. */
  highWater: number;
}

/** One way of one connection: an ordered stream of frames. */
export class Direction {
  /** When the last frame will have been written. */
  freeAt = 0;
  /** When the last frame arrives: no later one arrives before. */
  lastArrival = 0;
  /** What is written vanishes: a half-open link. */
  lossy = false;
  /** Until when nothing is read at the other end, and how slowly after. */
  stalledUntil = 0;
  slowness = 1;
  slowUntil = 0;
}

/** One connection between two peers, from its dial to its end. */
export class Connection {
  /** False once it cannot carry anything more; each end learns of it in its own time. */
  alive = true;
  readonly #directions: [Direction, Direction] = [new Direction(), new Direction()];

  constructor(
    readonly id: number,
    readonly a: string,
    readonly b: string,
    readonly shape: LinkShape,
  ) {}

  other(peer: string): string {
    return peer === this.a ? this.b : this.a;
  }

  from(peer: string): Direction {
    return this.#directions[peer === this.a ? 0 : 1];
  }

  /**
   * Puts a frame on its way.
   * @returns when it arrives, and when the sender may go on
   */
  plan(from: string, bytes: number, now: number, jitter: number): { written: number; arrives: number } {
    const way = this.from(from);
    const started = Math.max(now, way.freeAt, way.stalledUntil);
    const slow = started < way.slowUntil ? way.slowness : 1;
    const taken = bytes / (this.shape.bandwidth / slow);
    way.freeAt = started + taken;
    const arrives = Math.max(way.lastArrival + 0.001, way.freeAt + this.shape.latencyMs + jitter);
    way.lastArrival = arrives;
    const buffered = (this.shape.highWater * slow) / this.shape.bandwidth;
    return { written: Math.max(now, way.freeAt - taken - buffered), arrives };
  }
}

/** A promise that a peer waits for; it is settled by an event of that peer, never by another's code. */
export class Waiting<T> {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: Error) => void;
  settled = false;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly actor: Actor,
    private readonly label: string,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolveAt(time: number, value: T): void {
    this.scheduler.at(time, this.actor, this.label, () => this.resolve(value));
  }

  resolve(value: T): void {
    this.settled = true;
    this.#resolve(value);
  }

  rejectAt(time: number, error: Error): void {
    this.scheduler.at(time, this.actor, this.label, () => this.reject(error));
  }

  reject(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }
}
