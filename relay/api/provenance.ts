import type { ChainHop } from '../../src/chain/index.ts';
import type { AnswerEvent } from '../answers/types.ts';
import type { ShoalDetails } from './shapes.ts';

/** What is known so far about how an answer comes about. */
export class Provenance {
  route: 'own' | 'network' = 'own';
  #hops: readonly ChainHop[] = [];
  #recoveries = 0;
  /** Milliseconds. */
  queue = 0;
  #find: number | null = null;
  #first: number | null = null;
  #compute = 0;
  #wire = 0;
  readonly #started: number;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#started = now();
  }

  /** The turn has come. */
  begin(): void {
    this.queue = this.#now() - this.#started;
  }

  see(event: AnswerEvent): void {
    const elapsed = this.#now() - this.#started - this.queue;
    if (event.type === 'route') {
      this.route = event.route;
      this.#hops = event.hops;
      this.#find ??= elapsed;
    } else if (event.type === 'token') {
      this.#first ??= elapsed;
    } else if (event.type === 'done') {
      this.#recoveries = event.recoveries;
      this.#find = event.timings.findMs;
      this.#first = event.timings.firstTokenMs ?? this.#first;
      this.#compute = event.timings.computeMs;
      this.#wire = event.timings.wireMs;
    }
  }

  /** The x-shoal-route header. */
  routeHeader(): string {
    if (this.route === 'own') return 'own';
    const relayed = this.#hops.filter(({ path }) => path === 'relayed').length;
    return `network; hops=${this.#hops.length}; relayed=${relayed}`;
  }

  /** The Server-Timing header, of what is known by now. */
  timingHeader(): string {
    const parts: [string, number | null][] = [
      ['queue', this.queue],
      ['find', this.#find],
      ['first', this.#first],
    ];
    return parts
      .filter((part): part is [string, number] => part[1] !== null)
      .map(([name, ms]) => `${name};dur=${ms.toFixed(1)}`)
      .join(', ');
  }

  details(): ShoalDetails {
    return {
      route: this.route,
      hops: this.#hops.map(({ start, end, path, backend, roundTripMs }) => ({
        start,
        end,
        path,
        backend,
        round_trip_ms: roundTripMs === null ? null : tenths(roundTripMs),
      })),
      recoveries: this.#recoveries,
      timings: {
        queue_ms: tenths(this.queue),
        find_ms: tenths(this.#find ?? 0),
        first_token_ms: this.#first === null ? null : tenths(this.#first),
        compute_ms: tenths(this.#compute),
        wire_ms: tenths(this.#wire),
      },
    };
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
