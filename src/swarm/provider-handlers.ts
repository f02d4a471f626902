import { MessageType } from '@libp2p/kad-dht';
import { peerIdFromMultihash, peerIdFromString } from '@libp2p/peer-id';
import * as Digest from 'multiformats/hashes/digest';
import { checkedAddresses, readAddress } from './addresses.ts';
import { together } from './foreign-records.ts';
import type { KadHandler, KadInternals, KadMessage } from './kad.ts';
import { MAX_ADDRESSES } from './limits.ts';
import type { Provider, ProviderRecords } from './provider-records.ts';

/** Providers of a key, a multihash in hexadecimal, that others keep. Never rejects. */
export type Elsewhere = (key: string) => Promise<readonly Provider[]>;

/** Bytes of a blake3 multihash, with room for other digests. */
const MAX_KEY_BYTES = 80;

/**
 * Replaces what the DHT server of @libp2p/kad-dht 16.4.5 does with provider records. Its own handlers read the key
 * (a multihash) as a CID, which works for sha2-256 alone: a blake3 key is dropped on ADD_PROVIDER and resets the stream
 * on GET_PROVIDERS. GET_PROVIDERS also answers nothing at all when one of the providers left the peer store, and never
 * looks at a record's age. Here records keep their addresses, and live in `records`.
 *
 * Ours: an ADD_PROVIDER without an address withdraws the record, which the protocol has no message for.
 *
 * Value records are refused: nobody here needs them, and a stranger could fill the memory with them.
 *
 * @param elsewhere what joined relays know of a key, in a second at most
 */
export function replaceProviderHandlers(
  kad: KadInternals,
  records: ProviderRecords,
  elsewhere: Elsewhere,
): void {
  const { handlers } = kad.rpc;
  handlers[MessageType.ADD_PROVIDER] = addProvider(records);
  handlers[MessageType.GET_PROVIDERS] = getProviders(records, elsewhere);
  delete handlers[MessageType.PUT_VALUE];
  delete handlers[MessageType.GET_VALUE];
}

function addProvider(records: ProviderRecords): KadHandler {
  return {
    async handle(sender, message) {
      const key = recordKey(message);
      const peer = sender.toString();
      for (const { id, multiaddrs } of message.providers.slice(0, 2)) {
        // Nobody publishes for another.
        if (!peerIdFromMultihash(Digest.decode(id)).equals(sender)) continue;
        if (multiaddrs.length === 0) {
          records.remove(key, peer);
          continue;
        }
        const texts = multiaddrs.slice(0, MAX_ADDRESSES).map((bytes) => readAddress(bytes)?.toString() ?? '');
        const addrs = checkedAddresses(peer, texts.filter(Boolean)).map(String);
        if (addrs.length > 0) records.add(key, peer, addrs);
      }
      return undefined;
    },
  };
}

function getProviders(records: ProviderRecords, elsewhere: Elsewhere): KadHandler {
  return {
    async handle(_sender, message) {
      const asked = recordKey(message);
      const others = await elsewhere(asked);
      const providers = together(records.get(asked), others).map(({ peer, addrs }) => ({
        id: peerIdFromString(peer).toMultihash().bytes,
        multiaddrs: addrs.flatMap((address) => readAddress(address)?.bytes ?? []),
      }));
      const { key, clusterLevel } = message;
      return { type: MessageType.GET_PROVIDERS, key, clusterLevel, closer: [], providers };
    },
  };
}

/** The map's key of a record: the multihash as text. @throws when it is none, which resets the stream */
function recordKey({ key }: KadMessage): string {
  if (!key || key.length > MAX_KEY_BYTES) throw new RangeError('A provider record without a usable key.');
  return keyText(Digest.decode(key).bytes);
}

/** How records are filed: the multihash in hexadecimal. */
export function keyText(multihash: Uint8Array): string {
  let text = '';
  for (const byte of multihash) text += byte.toString(16).padStart(2, '0');
  return text;
}
