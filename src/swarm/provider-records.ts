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

/** What is told of a record: its new state, or null when it is gone. Own records are not told of. */
export type RecordChanged = (
  key: string,
  peer: string,
  record: { addrs: readonly string[]; remainingMs: number } | null,
) => void;

export interface ProviderRecordsOptions {
  /** Milliseconds from any fixed start. */
  now: () => number;
  validityMs?: number;
  perPeer?: number;
  total?: number;
}

/**
 * Who provides what: the provider records of a relay, in memory; `StoredRecords` keeps them over a restart. A record
 * past its time is never given out.
 */
export class ProviderRecords {
  readonly #options: Required<ProviderRecordsOptions>;
  readonly #byKey = new Map<string, Map<string, ProviderRecord>>();
  readonly #byPeer = new Map<string, Set<string>>();
  #size = 0;
  #changed: RecordChanged = () => {};

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

  /** One listener, which must not throw. */
  set changed(listener: RecordChanged) {
    this.#changed = listener;
  }

  /** @returns false when the peer, or everybody together, has too many records already */
  add(key: string, peer: string, addrs: readonly string[], lives: 'timed' | 'always' = 'timed'): boolean {
    const remainingMs = lives === 'always' ? Infinity : this.#options.validityMs;
    if (!this.#put(key, peer, addrs, remainingMs)) return false;
    if (lives === 'timed') this.#changed(key, peer, { addrs, remainingMs });
    return true;
  }

  /** Takes a record back that was kept elsewhere. @param remainingMs at most as long as a new one lives */
  restore(key: string, peer: string, addrs: readonly string[], remainingMs: number): boolean {
    return this.#put(key, peer, addrs, Math.min(remainingMs, this.#options.validityMs));
  }

  /** Peers with records. */
  peers(): string[] {
    return [...this.#byPeer.keys()];
  }

  #put(key: string, peer: string, addrs: readonly string[], remainingMs: number): boolean {
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
    const expires = this.#options.now() + remainingMs;
    // Set anew, so that the map is in order of age.
    providers.delete(peer);
    providers.set(peer, { addrs, expires });
    return true;
  }

  remove(key: string, peer: string): void {
    const providers = this.#byKey.get(key);
    const own = providers?.get(peer)?.expires === Infinity;
    if (!providers?.delete(peer)) return;
    this.#size--;
    if (!own) this.#changed(key, peer, null);
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
