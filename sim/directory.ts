import {
  cellsTouching,
  type Directory,
  type Holding,
  type LayerRange,
  TransportError,
} from '../src/swarm/index.ts';
import type { PeerAddress } from '../src/wire/index.ts';
import { Waiting } from './connection.ts';
import type { Random } from './random.ts';
import type { Actor, Scheduler } from './scheduler.ts';

/** Provider records live this long when they are not published again. */
const RECORD_MS = 1_800_000;
/** A query ends after this long, with what was found until then. */
const QUERY_MS = 5_000;

/** The relay's DHT: who says that it holds what. Answers take a round trip. */
export class SimDirectory {
  /** Records of peers that are gone stay until they expire. */
  stale = false;
  /** Peers in answers that were gone already. */
  staleAnswers = 0;
  onStale: (() => void) | null = null;
  /** Until when nothing is answered. */
  silentUntil = 0;
  /** By record key: peer and expiry. */
  readonly #records = new Map<string, Map<string, number>>();
  /** By peer: what it wants to be found for. */
  readonly #held = new Map<string, Map<string, Holding>>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly alive: (peer: string) => boolean,
  ) {}

  /** Records there are, whoever they belong to. */
  get size(): number {
    let size = 0;
    for (const peers of this.#records.values()) size += peers.size;
    return size;
  }

  /** A peer found that the relay forgot it, and publishes everything anew. */
  republish(peer: string): void {
    for (const slice of this.#held.get(peer)?.values() ?? []) this.#publish(peer, slice);
  }

  /** The relay noticed that a peer disconnected. */
  purge(peer: string): void {
    if (this.stale) return;
    for (const peers of this.#records.values()) peers.delete(peer);
  }

  of(actor: Actor): Directory {
    const held = this.#held.get(actor.name) ?? new Map<string, Holding>();
    this.#held.set(actor.name, held);
    return {
      announce: (slice) => {
        held.set(keyOf(slice.cid, slice), slice);
        return this.#later(actor, 'announce', () => this.#publish(actor.name, slice));
      },
      withdraw: (slice) => {
        held.delete(keyOf(slice.cid, slice));
        return this.#later(actor, 'withdraw', () => {
          // Slices of one model share cells.
          const kept = new Set([...held.values()].flatMap(keysOf));
          for (const key of keysOf(slice)) if (!kept.has(key)) this.#records.get(key)?.delete(actor.name);
        });
      },
      holders: ({ cid, layers }, range, { signal } = {}) =>
        this.#later(actor, 'holders', () => this.#find({ cid, layers, ...range }), {
          lost: () => [],
          signal,
        }),
    };
  }

  #publish(peer: string, slice: Holding): void {
    for (const key of keysOf(slice)) {
      const peers = this.#records.get(key) ?? new Map<string, number>();
      peers.set(peer, this.scheduler.now + RECORD_MS);
      this.#records.set(key, peers);
    }
  }

  #find(wanted: Holding): PeerAddress[] {
    const found = new Set<string>();
    const cells = cellsTouching(wanted.layers, wanted);
    for (const range of [wanted, ...cells]) {
      for (const [peer, expires] of this.#records.get(keyOf(wanted.cid, range)) ?? [])
        if (expires > this.scheduler.now) found.add(peer);
    }
    for (const peer of found) {
      if (this.alive(peer)) continue;
      this.staleAnswers++;
      this.onStale?.();
    }
    return this.random.shuffled([...found].sort()).map((peer) => ({ peer, addrs: [`/memory/${peer}`] }));
  }

  /** Answers after a round trip; without a relay, `lost` after the time that a query may take. */
  #later<T>(
    actor: Actor,
    label: string,
    answer: () => T,
    { lost, signal }: { lost?: () => T; signal?: AbortSignal } = {},
  ): Promise<T> {
    const done = new Waiting<T>(this.scheduler, actor, label);
    const answered = Math.max(this.scheduler.now, this.silentUntil) + this.random.between(5, 75);
    const late = this.scheduler.now + QUERY_MS;
    const cancel = this.scheduler.at(Math.min(answered, late), actor, `${actor.name} ${label}`, () => {
      signal?.removeEventListener('abort', stop);
      if (answered <= late) done.resolve(answer());
      else if (lost) done.resolve(lost());
      else done.reject(new TransportError('no-relay', 'No relay took the record of this slice.'));
    });
    const stop = () => {
      cancel();
      done.reject(new TransportError('aborted', 'The search was aborted.'));
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    return done.promise;
  }
}

function keyOf(cid: string, { start, end }: LayerRange): string {
  return `${cid}|${start}|${end}`;
}

function keysOf(slice: Holding): string[] {
  return [slice, ...cellsTouching(slice.layers, slice)].map((range) => keyOf(slice.cid, range));
}
