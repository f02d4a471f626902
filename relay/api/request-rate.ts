/** Looked at when there is no room for one more, so that forgetting costs the same however many there are. */
const FORGET_STEP = 32;

/**
 * Requests per minute of each client, as a bucket that fills steadily: a client may send all of a minute's requests at
 * once, and then one whenever room for one has come back. One number per client is kept. A library for this is at hand,
 * but it has no cap on how many clients it remembers.
 */
export class RequestRate {
  /** When each client's bucket is full again, in milliseconds; the one served longest ago first. */
  readonly #fullAt = new Map<string, number>();
  readonly #now: () => number;
  readonly #clients: number;

  /** @param clients remembered at once; beyond that some are forgotten, and begin with a full bucket */
  constructor(now: () => number = () => performance.now(), clients = 50_000) {
    this.#now = now;
    this.#clients = clients;
  }

  /**
   * Counts one request.
   * @returns whether it may go ahead; what is left, and the seconds until one more may (0: now) and until all may
   */
  take(client: string, perMinute: number): Rate {
    const now = this.#now();
    const each = 60_000 / perMinute;
    const full = Math.max(this.#fullAt.get(client) ?? 0, now);
    const used = (full - now) / each;
    const allowed = used + 1 <= perMinute + 1e-9;
    const next = allowed ? full + each : full;
    if (allowed) {
      this.#fullAt.delete(client);
      if (this.#fullAt.size >= this.#clients) this.#forget(now);
      this.#fullAt.set(client, next);
    }
    const left = Math.max(0, Math.floor(perMinute - (next - now) / each + 1e-9));
    return {
      allowed,
      limit: perMinute,
      left,
      nextIn: left > 0 ? 0 : Math.max(0, next - now - (perMinute - 1) * each) / 1000,
      fullIn: (next - now) / 1000,
    };
  }

  /** Of the first few, those whose bucket is full again are as good as new; if there are none, the first one goes. */
  #forget(now: number): void {
    let looked = 0;
    let first: string | undefined;
    for (const [client, full] of this.#fullAt) {
      first ??= client;
      if (full <= now) this.#fullAt.delete(client);
      if (++looked === FORGET_STEP) break;
    }
    if (first !== undefined && this.#fullAt.size >= this.#clients) this.#fullAt.delete(first);
  }
}

export interface Rate {
  allowed: boolean;
  limit: number;
  left: number;
  /** Seconds. */
  nextIn: number;
  fullIn: number;
}
