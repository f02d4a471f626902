import { together } from './foreign-records.ts';
import { keysToAsk, keysToPublish } from './keys.ts';
import { type Elsewhere, keyText } from './provider-handlers.ts';
import type { ProviderRecords } from './provider-records.ts';
import { type Directory, type Holding, type LayerRange, type PeerAddress, TransportError } from './types.ts';
import { until } from './until.ts';

/** The relay's own directory: the records that it keeps for everybody, and what joined relays answer. */
export class RelayDirectory implements Directory {
  readonly #self: string;
  readonly #records: ProviderRecords;
  readonly #addresses: () => readonly string[];
  readonly #elsewhere: Elsewhere;
  readonly #held = new Map<string, Holding>();

  constructor(
    self: string,
    records: ProviderRecords,
    addresses: () => readonly string[],
    elsewhere: Elsewhere,
  ) {
    this.#self = self;
    this.#records = records;
    this.#addresses = addresses;
    this.#elsewhere = elsewhere;
  }

  async announce(slice: Holding): Promise<void> {
    this.#held.set(`${slice.cid}|${slice.start}|${slice.end}`, slice);
    for (const key of filed(keysToPublish(slice)))
      this.#records.add(key, this.#self, this.#addresses(), 'always');
  }

  async withdraw(slice: Holding): Promise<void> {
    this.#held.delete(`${slice.cid}|${slice.start}|${slice.end}`);
    const kept = new Set([...this.#held.values()].flatMap((held) => filed(keysToPublish(held))));
    for (const key of filed(keysToPublish(slice))) if (!kept.has(key)) this.#records.remove(key, this.#self);
  }

  async holders(
    model: { cid: string; layers: number },
    range: LayerRange,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<PeerAddress[]> {
    const keys = filed(keysToAsk(model, range));
    const aborted = () => new TransportError('aborted', 'The search was aborted.', { cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    const others = await until(Promise.all(keys.map((key) => this.#elsewhere(key))), signal).catch(() => {
      throw aborted();
    });
    const found = new Map<string, PeerAddress>();
    for (const [i, key] of keys.entries()) {
      for (const { peer, addrs } of together(this.#records.get(key), others[i] ?? []))
        found.set(peer, { peer, addrs: [...addrs] });
    }
    return [...found.values()];
  }
}

function filed(keys: ReturnType<typeof keysToAsk>): string[] {
  return keys.map((key) => keyText(key.multihash.bytes));
}
