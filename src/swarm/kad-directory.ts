import { type AbortOptions, type Libp2p, type PeerId, setMaxListeners } from '@libp2p/interface';
import { type KadDHT, MessageType } from '@libp2p/kad-dht';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { checkedAddresses } from './addresses.ts';
import { type KadInternals, kadInternals } from './kad.ts';
import { keysToAsk, keysToPublish, sliceKey } from './keys.ts';
import { FIND_MS, MAX_ADDRESSES } from './limits.ts';
import { type Directory, type Holding, type LayerRange, type PeerAddress, TransportError } from './types.ts';
import { until } from './until.ts';

/** How long after a publication the next look whether it arrived. */
const CONFIRM_MS = 50;
/** Path of a message that belongs to no query. */
const NO_PATH = { index: 0, queued: 0, running: 0, total: 0 };

export interface KadDirectoryOptions {
  /** Resolves as soon as others can reach this peer: a record without an address is ignored. */
  reachable: (signal: AbortSignal) => Promise<void>;
  /** DHT servers that this peer is connected to. */
  servers: () => readonly string[];
}

/** The directory of a DHT client, which asks the relays. */
export class KadDirectory implements Directory {
  readonly #node: Libp2p;
  readonly #dht: KadDHT;
  readonly #inner: KadInternals;
  readonly #options: KadDirectoryOptions;
  readonly #held = new Map<string, Holding>();
  readonly #publishing = new Map<string, Promise<void>>();
  readonly #over = new AbortController();

  constructor(node: Libp2p, dht: KadDHT, options: KadDirectoryOptions) {
    this.#node = node;
    this.#dht = dht;
    this.#inner = kadInternals(dht);
    this.#options = options;
  }

  /** Resolves when the record is there for others to find. @throws TransportError `no-relay` after 5 s, `closed` */
  async announce(slice: Holding): Promise<void> {
    this.#held.set(nameOf(slice), slice);
    await this.#publish(slice);
  }

  async withdraw(slice: Holding): Promise<void> {
    this.#held.delete(nameOf(slice));
    // Slices of one model share keys: the model's, and cells when they overlap.
    const kept = new Set([...this.#held.values()].flatMap(keysToPublish).map(String));
    const keys = keysToPublish(slice).filter((key) => !kept.has(key.toString()));
    const signal = deadlineOf(FIND_MS);
    await Promise.all(
      keys.map(async (key) => {
        await this.#dht.cancelReprovide(key);
        await Promise.all(this.#options.servers().map((server) => this.#unpublish(key, server, signal)));
      }),
    );
  }

  async holders(
    model: { cid: string; layers: number },
    range: LayerRange,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<PeerAddress[]> {
    const deadline = deadlineOf(FIND_MS);
    const found = new Map<string, Set<string>>();
    try {
      await until(this.#serverKnown(deadline), signal, deadline, this.#over.signal);
      const asked = keysToAsk(model, range).map((key) => this.#ask(key, found, deadline));
      await until(Promise.all(asked), signal, deadline, this.#over.signal);
    } catch (error) {
      if (signal?.aborted) throw new TransportError('aborted', 'The search was aborted.', { cause: error });
      this.#over.signal.throwIfAborted();
      // Too late for the rest: what was found until now is the answer.
    }
    return [...found].map(([peer, addrs]) => ({
      peer,
      addrs: checkedAddresses(peer, addrs).map(String),
    }));
  }

  /** Publishes everything anew: a relay that was restarted, or lost sight of this peer, has forgotten it. */
  async republish(): Promise<void> {
    await Promise.allSettled([...this.#held.values()].map((slice) => this.#publish(slice)));
  }

  close(): void {
    this.#over.abort(new TransportError('closed', 'The network is closed.'));
  }

  /** One publication of a slice at a time: who comes second waits for the first. */
  #publish(slice: Holding): Promise<void> {
    const name = nameOf(slice);
    const running = this.#publishing.get(name);
    if (running) return running;
    const publication = this.#publishNow(slice).finally(() => this.#publishing.delete(name));
    this.#publishing.set(name, publication);
    return publication;
  }

  async #publishNow(slice: Holding): Promise<void> {
    const deadline = deadlineOf(FIND_MS);
    try {
      await until(this.#options.reachable(deadline), deadline, this.#over.signal);
      await until(this.#serverKnown(deadline), deadline, this.#over.signal);
      await Promise.all(keysToPublish(slice).map((key) => this.#provide(key, deadline)));
      await this.#confirm(slice, deadline);
    } catch (error) {
      this.#over.signal.throwIfAborted();
      const message = 'No relay took the record of this slice. It is published again when one is reached.';
      throw new TransportError('no-relay', message, { cause: error });
    }
  }

  async #provide(key: CID, signal: AbortSignal): Promise<void> {
    for await (const _event of this.#dht.provide(key, { signal })) {
      // The events tell of the query's progress; whether it arrived is asked for afterwards.
    }
  }

  /** ADD_PROVIDER has no answer, so we look. */
  async #confirm(slice: Holding, deadline: AbortSignal): Promise<void> {
    const self = this.#node.peerId.toString();
    for (;;) {
      const found = new Map<string, Set<string>>();
      await until(this.#ask(sliceKey(slice.cid, slice), found, deadline), deadline, this.#over.signal);
      // The own node is named by its own copy of the record too, but then without any address.
      if ((found.get(self)?.size ?? 0) > 0) return;
      await until(pause(CONFIRM_MS), deadline, this.#over.signal);
    }
  }

  async #ask(key: CID, found: Map<string, Set<string>>, signal: AbortSignal): Promise<void> {
    for await (const event of this.#dht.findProviders(key, { signal })) {
      if (event.name !== 'PEER_RESPONSE' || event.from.equals(this.#node.peerId)) continue;
      for (const { id, multiaddrs } of event.providers) {
        const addrs = found.get(id.toString()) ?? new Set();
        found.set(id.toString(), addrs);
        for (const address of multiaddrs.slice(0, MAX_ADDRESSES))
          if (addrs.size < MAX_ADDRESSES) addrs.add(address.toString());
      }
    }
  }

  /** ADD_PROVIDER without an address: our relays forget the record. */
  async #unpublish(key: CID, server: string, signal: AbortSignal): Promise<void> {
    const message = {
      type: MessageType.ADD_PROVIDER,
      key: key.multihash.bytes,
      closer: [],
      providers: [{ id: this.#node.peerId.toMultihash().bytes, multiaddrs: [] }],
    };
    const to: PeerId = peerIdFromString(server);
    for await (const _event of this.#inner.network.sendMessage(to, message, { signal, path: NO_PATH })) {
      // A server that is not reached forgets by itself.
    }
  }

  /** A relay comes into the routing table some round trips after it is connected; a query before that asks nobody. */
  async #serverKnown(signal: AbortSignal): Promise<void> {
    const { routingTable } = this.#inner;
    if (routingTable.size > 0) return;
    await new Promise<void>((resolve) => {
      const options = { once: true, signal };
      routingTable.addEventListener(
        'peer:add',
        () => resolve(),
        options satisfies AbortOptions & { once: boolean },
      );
    });
  }
}

function nameOf({ cid, start, end }: Holding): string {
  return `${cid}|${start}|${end}`;
}

/** A deadline for many queries at once; Node would warn of a leak from the eleventh listener on. */
function deadlineOf(ms: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  setMaxListeners(Number.POSITIVE_INFINITY, signal);
  return signal;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
