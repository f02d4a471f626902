import { keysToAsk, keysToPublish } from './keys.ts';
import { keyText } from './provider-handlers.ts';
import type { ProviderRecords } from './provider-records.ts';
import type { Directory, Holding, LayerRange, PeerAddress } from './types.ts';

/** The relay's own directory: it reads and writes the records that it keeps for everybody. */
export class RelayDirectory implements Directory {
  readonly #self: string;
  readonly #records: ProviderRecords;
  readonly #addresses: () => readonly string[];
  readonly #held = new Map<string, Holding>();

  constructor(self: string, records: ProviderRecords, addresses: () => readonly string[]) {
    this.#self = self;
    this.#records = records;
    this.#addresses = addresses;
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

  async holders(model: { cid: string; layers: number }, range: LayerRange): Promise<PeerAddress[]> {
    const found = new Map<string, PeerAddress>();
    for (const key of filed(keysToAsk(model, range)))
      for (const { peer, addrs } of this.#records.get(key)) found.set(peer, { peer, addrs: [...addrs] });
    return [...found.values()];
  }
}

function filed(keys: ReturnType<typeof keysToAsk>): string[] {
  return keys.map((key) => keyText(key.multihash.bytes));
}
