import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export interface RateOptions {
  /** How often each address may, in so many seconds. */
  points: number;
  seconds: number;
  /** Addresses counted apart; what comes beyond shares a few counts. 20,000 cost about 10 MB. */
  addresses?: number;
}

/** Counts that the addresses beyond the cap share. Enough that a flood does not stop every newcomer. */
const SHARED = 256;

/** How often each address does something, in fixed windows. Of bounded size, however many addresses come. */
export class AddressRate {
  readonly #limiter: RateLimiterMemory;
  readonly #windowMs: number;
  readonly #most: number;
  /** Addresses in order of their window's end, in milliseconds. */
  readonly #windows = new Map<string, number>();

  constructor({ points, seconds, addresses = 20_000 }: RateOptions) {
    this.#limiter = new RateLimiterMemory({ points, duration: seconds });
    this.#windowMs = seconds * 1000;
    this.#most = addresses;
  }

  /** @returns 0 when it may, else the milliseconds until it may again */
  async take(address: string): Promise<number> {
    try {
      await this.#limiter.consume(this.#keyOf(address, Date.now()));
      return 0;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  }

  /** Addresses that are counted apart now. */
  get size(): number {
    return this.#windows.size;
  }

  #keyOf(address: string, now: number): string {
    for (const [known, end] of this.#windows) {
      if (end > now) break;
      this.#windows.delete(known);
    }
    if (this.#windows.has(address)) return address;
    if (this.#windows.size >= this.#most) return `shared ${hash(address) % SHARED}`;
    this.#windows.set(address, now + this.#windowMs);
    return address;
  }
}

/** FNV-1a, 32 bits: spreads addresses, and keeps nothing secret. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}
