/** Milliseconds and share by which a round trip changes without anything having happened. */
const JITTER_MS = 5;
const JITTER_SHARE = 0.25;

/**
 * Round trips as they are told: whole milliseconds, and the same ones as before until they really change. Otherwise
 * every link would be told to every watcher in every second.
 */
export class SteadyTrips {
  #told = new Map<string, number>();
  #next = new Map<string, number>();

  /** @param key of the link, the same in every look */
  told(key: string, ms: number | null): number | null {
    const before = this.#next.get(key) ?? this.#told.get(key);
    // A measurement that is missing once says nothing about the link.
    if (ms === null && before === undefined) return null;
    const now = ms ?? before ?? 0;
    const moved = before === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - before);
    const kept =
      before !== undefined && moved <= Math.max(JITTER_MS, before * JITTER_SHARE) ? before : Math.round(now);
    this.#next.set(key, kept);
    return kept;
  }

  /** Forgets the links that this look did not ask for. */
  looked(): void {
    this.#told = this.#next;
    this.#next = new Map();
  }
}
