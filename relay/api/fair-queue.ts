import { ApiError } from './errors.ts';

export interface QueueLimits {
  /** Answers at once, in all and of one client. */
  answers: number;
  answersPerClient: number;
  /** Requests that wait, in all and of one client. */
  waiting: number;
  waitingPerClient: number;
}

/** One request in the queue. */
export interface Ticket {
  /** Requests that were served before it, and itself, had nothing changed since it came; 0 when it need not wait. */
  readonly arrival: number;
  /** Resolves when its turn has come. @throws ApiError 503 when the queue closes; the signal's reason */
  readonly turn: Promise<void>;
  /** Its place now, from 1, and how many wait in all. Running answers of its own client may hold it up longer. */
  place(): { place: number; of: number };
  /** Gives the place back, waiting or served. May be called more than once. */
  leave(): void;
}

interface Waiter {
  client: string;
  serve(): void;
  refuse(error: ApiError): void;
}

/**
 * Takes turns between clients, not between requests: however many one client has waiting, another waits for one of them
 * at most.
 */
export class FairQueue {
  readonly #limits: QueueLimits;
  /** Clients that have something waiting, the next one to be served first; each list oldest first, never empty. */
  readonly #lines = new Map<string, Waiter[]>();
  readonly #running = new Map<string, number>();
  #runs = 0;
  #waits = 0;
  #closed = false;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  status(): { running: number; waiting: number; clients: number } {
    return { running: this.#runs, waiting: this.#waits, clients: this.#lines.size };
  }

  /** Refuses what `enter` would refuse, before any work is put into it. @throws ApiError 429, 503 */
  check(client: string): void {
    if (this.#closed) throw closing();
    // Where a place is free the line is not needed.
    if (this.#hasPlace(client)) return;
    const own = this.#lines.get(client)?.length ?? 0;
    if (own >= this.#limits.waitingPerClient) {
      throw new ApiError(
        429,
        'rate_limit_exceeded',
        `${own} of your requests wait already. Send the next when one of them is answered.`,
        { retryAfter: 5 },
      );
    }
    if (this.#waits >= this.#limits.waiting) {
      throw new ApiError(503, 'overloaded', `${this.#waits} requests wait already. Try again in a while.`, {
        retryAfter: 10,
      });
    }
  }

  /**
   * @param signal leaves the queue at once
   * @throws ApiError 429 when this client has too many waiting, 503 when all together have
   */
  enter(client: string, signal: AbortSignal): Ticket {
    this.check(client);
    signal.throwIfAborted();
    let state: 'waits' | 'runs' | 'left' = 'waits';
    let settle: { resolve(): void; reject(reason: unknown): void };
    const turn = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const leave = () => {
      signal.removeEventListener('abort', onAbort);
      if (state === 'runs') this.#end(client);
      if (state === 'waits') this.#drop(waiter);
      if (state === 'left') return;
      state = 'left';
      this.#serve();
    };
    const onAbort = () => {
      leave();
      settle.reject(signal.reason);
    };
    const waiter: Waiter = {
      client,
      serve: () => {
        state = 'runs';
        // From here on it is the answer that hears the signal.
        signal.removeEventListener('abort', onAbort);
        settle.resolve();
      },
      refuse: (error) => {
        state = 'left';
        signal.removeEventListener('abort', onAbort);
        settle.reject(error);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // Whoever leaves without waiting for its turn needs no rejection.
    turn.catch(() => undefined);
    this.#add(waiter);
    this.#serve();
    const place = () => this.#place(waiter);
    // The place of one that runs already is 0.
    return { arrival: place().place, turn, place, leave };
  }

  /** Refuses everybody who waits, and everybody who comes. */
  close(): void {
    this.#closed = true;
    const waiting = [...this.#lines.values()].flat();
    this.#lines.clear();
    this.#waits = 0;
    for (const waiter of waiting) waiter.refuse(closing());
  }

  #hasPlace(client: string): boolean {
    const own = this.#running.get(client) ?? 0;
    return this.#runs < this.#limits.answers && own < this.#limits.answersPerClient;
  }

  #add(waiter: Waiter): void {
    const line = this.#lines.get(waiter.client);
    if (line) line.push(waiter);
    else this.#lines.set(waiter.client, [waiter]);
    this.#waits++;
  }

  #drop(waiter: Waiter): void {
    const line = this.#lines.get(waiter.client);
    const at = line?.indexOf(waiter) ?? -1;
    if (!line || at < 0) return;
    line.splice(at, 1);
    this.#waits--;
    if (line.length === 0) this.#lines.delete(waiter.client);
  }

  #end(client: string): void {
    this.#runs--;
    const left = (this.#running.get(client) ?? 1) - 1;
    if (left > 0) this.#running.set(client, left);
    else this.#running.delete(client);
  }

  #serve(): void {
    while (this.#runs < this.#limits.answers) {
      const next = this.#next();
      if (!next) return;
      const [client, line] = next;
      const waiter = line.shift()!;
      this.#waits--;
      // To the end of the round.
      this.#lines.delete(client);
      if (line.length > 0) this.#lines.set(client, line);
      this.#runs++;
      this.#running.set(client, (this.#running.get(client) ?? 0) + 1);
      waiter.serve();
    }
  }

  #next(): [string, Waiter[]] | null {
    for (const entry of this.#lines) if (this.#hasPlace(entry[0])) return entry;
    return null;
  }

  /** Turns are taken round by round: of every other client, as many come first as this client has before this one. */
  #place(waiter: Waiter): { place: number; of: number } {
    const index = this.#lines.get(waiter.client)?.indexOf(waiter) ?? -1;
    if (index < 0) return { place: 0, of: this.#waits };
    let place = index + 1;
    let before = true;
    for (const [client, line] of this.#lines) {
      if (client === waiter.client) before = false;
      else place += Math.min(line.length, before ? index + 1 : index);
    }
    return { place, of: this.#waits };
  }
}

function closing(): ApiError {
  return new ApiError(503, 'stopping', 'This relay is stopping. Try again in a minute.', { retryAfter: 30 });
}
