import type { RelayConfig } from '../config/types.ts';
import type { Log, Meters } from '../watch/types.ts';
import { Addresses, type Asked } from './address.ts';
import { type Hold, WorkHold } from './hold.ts';
import { type MemoryOptions, MemoryWatch } from './memory.ts';
import { Places } from './places.ts';
import { AddressRate } from './rate.ts';

export interface GuardOptions {
  limits: RelayConfig['limits'];
  meters: Meters;
  log: Log;
  /** WebSocket handshakes per second of one address; the swarm's own limit (50 by default) comes after it. */
  handshakesPerSecond?: number;
  memory?: Omit<MemoryOptions, 'share'>;
}

/** Why something was refused, for the metrics. */
export type RefusalReason =
  | 'connections'
  | 'connections-per-address'
  | 'requests'
  | 'requests-at-once'
  | 'pipelining'
  | 'malformed'
  | 'handshakes'
  | 'draining'
  | 'memory';

/** A page that is reloaded in a class behind one router, twice over. */
const HANDSHAKES_PER_SECOND = 100;

/** What keeps one client, or many, from taking the relay away from the others. One per relay. */
export class Guard {
  readonly addresses: Addresses;
  readonly places: Places;
  /** Requests, and WebSocket handshakes, of each address. */
  readonly requests: AddressRate;
  readonly handshakes: AddressRate;
  readonly memory: MemoryWatch;
  /** Requests of one address that may be under way at the same time: what its sockets are limited to. */
  readonly requestsAtOnce: number;
  readonly #hold: WorkHold;
  readonly #meters: Meters;

  /** @throws RelayError `usage` for trusted proxies that are no addresses */
  constructor({ limits, meters, log, memory, handshakesPerSecond = HANDSHAKES_PER_SECOND }: GuardOptions) {
    this.#meters = meters;
    this.addresses = new Addresses(limits.trustedProxies);
    this.places = new Places(limits.connections, limits.connectionsPerAddress);
    this.requestsAtOnce = limits.connectionsPerAddress;
    this.requests = new AddressRate({ points: limits.requestsPerMinute, seconds: 60 });
    this.handshakes = new AddressRate({ points: handshakesPerSecond, seconds: 1 });
    this.memory = new MemoryWatch({ ...memory, share: limits.memoryShare });
    this.#hold = new WorkHold(this.memory);
    this.memory.onChange(({ state, rss, limit, heap }) => {
      const bytes = { rss, limit: Math.round(limit), heap };
      if (state === 'full') log.warn('Memory is nearly used up: new work is refused.', bytes);
      else if (state === 'tight') log.warn('Memory is getting short.', bytes);
      else log.info('There is memory again.', bytes);
    });
  }

  /** The client of a request, behind trusted proxies too; for the swarm's limits on WebSockets. */
  readonly addressOf = (request: Asked): string => this.addresses.of(request);

  hold(): Hold {
    return this.#hold;
  }

  get draining(): boolean {
    return this.#hold.draining;
  }

  /** From here on `hold()` accepts nothing. */
  drain(): void {
    this.#hold.drain();
  }

  refused(reason: RefusalReason): void {
    this.#meters.count('shoal_refused_total', { reason });
  }

  close(): void {
    this.memory.close();
  }
}
