import { MAX_PROVIDERS_PER_ANSWER, MAX_RECORDS, MAX_RECORDS_PER_PEER, RECORD_VALIDITY_MS } from './limits.ts';

interface ProviderRecord {
  addrs: readonly string[];
  /** By the clock given; Infinity for the own records, which live until they are withdrawn. */
  expires: number;
}

export interface Provider {
  peer: string;
  addrs: readonly string[];
}

export interface ProviderRecordsOptions {
  /** Milliseconds from any fixed start. */
  now: () => number;
  validityMs?: number;
  perPeer?: number;
  total?: number;
}

/**
 * Who provides what: the provider records of a relay, in memory. They die with the relay, and hosts publish them anew
 * when it is back. A record past its time is never given out.
 */
export class ProviderRecords {
  readonly #options: Required<ProviderRecordsOptions>;
  readonly #byKey = new Map<string, Map<string, ProviderRecord>>();
  readonly #byPeer = new Map<string, Set<string>>();
  #size = 0;

  constructor({ now, validityMs, perPeer, total }: ProviderRecordsOptions) {
    this.#options = {
      now,
      validityMs: validityMs ?? RECORD_VALIDITY_MS,
      perPeer: perPeer ?? MAX_RECORDS_PER_PEER,
      total: total ?? MAX_RECORDS,
    };
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false when the peer, or everybody together, has too many records already */
  add(key: string, peer: string, addrs: readonly string[], lives: 'timed' | 'always' = 'timed'): boolean {
    const keys = this.#byPeer.get(peer) ?? new Set();
    if (!keys.has(key)) {
      if (keys.size >= this.#options.perPeer) return false;
      if (this.#size >= this.#options.total) this.sweep();
      if (this.#size >= this.#options.total) return false;
      keys.add(key);
      this.#byPeer.set(peer, keys);
      this.#size++;
    }
    const providers = this.#byKey.get(key) ?? new Map();
    this.#byKey.set(key, providers);
    const expires = lives === 'always' ? Infinity : this.#options.now() + this.#options.validityMs;
    // Set anew, so that the map is in order of age.
    providers.delete(peer);
    providers.set(peer, { addrs, expires });
    return true;
  }

  remove(key: string, peer: string): void {
    const providers = this.#byKey.get(key);
    if (!providers?.delete(peer)) return;
    this.#size--;
    if (providers.size === 0) this.#byKey.delete(key);
    const keys = this.#byPeer.get(peer);
    keys?.delete(key);
    if (keys?.size === 0) this.#byPeer.delete(peer);
  }

  /** All records of a peer that is gone. */
  removePeer(peer: string): void {
    for (const key of [...(this.#byPeer.get(peer) ?? [])]) this.remove(key, peer);
  }

  /** Living providers, the freshest first, at most as many as one answer takes. */
  get(key: string): Provider[] {
    const now = this.#options.now();
    const found: Provider[] = [];
    for (const [peer, { addrs, expires }] of [...(this.#byKey.get(key) ?? [])].reverse()) {
      if (expires <= now) this.remove(key, peer);
      else if (found.length < MAX_PROVIDERS_PER_ANSWER) found.push({ peer, addrs });
    }
    return found;
  }

  /** Forgets what is past its time. */
  sweep(): void {
    const now = this.#options.now();
    for (const [key, providers] of [...this.#byKey])
      for (const [peer, { expires }] of [...providers]) if (expires <= now) this.remove(key, peer);
  }
}
