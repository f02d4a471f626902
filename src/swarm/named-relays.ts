import type { Connection, Libp2p, Stream, StreamMessageEvent } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { FrameReader, frame } from '../wire/index.ts';
import { checkedAddresses, hostOf, peerOf } from './addresses.ts';
import { isOpen } from './drain.ts';
import {
  ASK_NAMED_MS,
  MAX_JOINED,
  MAX_NAMED_BYTES,
  MAX_NAMED_STREAMS,
  NAMED_FRESH_MS,
  NAMED_PROTOCOL,
} from './federation-limits.ts';
import { areAddresses, isPeerText, parse } from './join-messages.ts';
import type { NamedRelay } from './relay-address.ts';
import { isRelayAddress, relayOn } from './relay-addresses.ts';
import type { Clock } from './types.ts';
import { until } from './until.ts';

/** At the relay: tells each peer that asks which relays this one joined. */
export async function serveNamed(node: Libp2p, named: () => readonly NamedRelay[]): Promise<void> {
  const answer = async (stream: Stream) => {
    stream.send(frame(new TextEncoder().encode(JSON.stringify({ relays: named() }))));
    await stream.close({ signal: AbortSignal.timeout(ASK_NAMED_MS) });
  };
  await node.handle(NAMED_PROTOCOL, (stream) => answer(stream).catch((error: Error) => stream.abort(error)), {
    maxInboundStreams: MAX_NAMED_STREAMS,
  });
}

/**
 * At a peer: the relays that its own relays joined. They are asked for only when somebody is reached through a relay
 * that this peer does not know, so that a network of one relay costs nothing.
 */
export class NamedRelays {
  readonly #clock: Clock;
  readonly #own: () => readonly Connection[];
  /** What each own relay named, by its peer id. */
  readonly #named = new Map<string, ReadonlyMap<string, readonly Multiaddr[]>>();
  #asking: Promise<void> | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param own connections with the own relays */
  constructor(clock: Clock, own: () => readonly Connection[]) {
    this.#clock = clock;
    this.#own = own;
  }

  /** Hosts of the relays named: these may be dialled, private or not. */
  hosts(): Set<string> {
    const all = [...this.#named.values()].flatMap((named) => [...named.values()].flat());
    return new Set(all.flatMap((address) => hostOf(address) ?? []));
  }

  addresses(relay: string): readonly Multiaddr[] {
    for (const named of this.#named.values()) {
      const found = named.get(relay);
      if (found) return found;
    }
    return [];
  }

  /** Asks the own relays, unless that was done a moment ago. Never rejects, and takes two seconds at most. */
  async learn(): Promise<void> {
    if (!this.#asking && this.#clock.now() - this.#askedAt < NAMED_FRESH_MS) return;
    this.#asking ??= this.#askAll().finally(() => {
      this.#askedAt = this.#clock.now();
      this.#asking = null;
    });
    await this.#asking;
  }

  async #askAll(): Promise<void> {
    const connections = this.#own();
    await Promise.all(
      connections.map(async (connection) => {
        const relay = connection.remotePeer.toString();
        try {
          this.#named.set(relay, readNamed(await ask(connection), relay));
        } catch {
          // An older relay, or one that is going: what it named before stays true enough.
        }
      }),
    );
  }
}

async function ask(connection: Connection): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(ASK_NAMED_MS);
  const stream = await connection.newStream(NAMED_PROTOCOL, { signal });
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const reader = new FrameReader(resolve);
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      try {
        for (const chunk of data instanceof Uint8Array ? [data] : data) reader.push(chunk);
        if (reader.held > 2 * MAX_NAMED_BYTES) reject(new RangeError('That answer is too long.'));
      } catch (error) {
        reject(error);
      }
    });
    const closed = () => reject(new Error('The relay did not answer.'));
    stream.addEventListener('close', closed);
    if (!isOpen(stream)) closed();
  });
  try {
    return await until(answer, signal);
  } finally {
    stream.abort(new Error('Enough was heard.'));
  }
}

/** At most sixteen relays, each with addresses of its own that a tab could dial. What does not check is left out. */
export function readNamed(body: Uint8Array, from: string): Map<string, readonly Multiaddr[]> {
  const relays = body.length <= MAX_NAMED_BYTES ? parse(body)?.relays : null;
  const named = new Map<string, readonly Multiaddr[]>();
  for (const one of Array.isArray(relays) ? relays.slice(0, MAX_JOINED) : []) {
    const { peer, addresses } = (one ?? {}) as Record<string, unknown>;
    if (!isPeerText(peer) || peer === from || !areAddresses(addresses)) continue;
    const usable = checkedAddresses(peer, addresses).filter(isRelayAddress);
    if (usable.length > 0) named.set(peer, usable);
  }
  return named;
}

/** Ways of a peer to another: what was said of it, through the own relays, and through those they named. */
export async function waysOf(
  peer: string,
  addrs: readonly string[],
  own: readonly string[],
  named: NamedRelays,
): Promise<string[]> {
  const ownPeers = new Set(own.map((address) => peerOf(multiaddr(address))));
  const said = checkedAddresses(peer, addrs);
  // A relay that lends slices is a relay and the peer at once, and may have said no address.
  const relays = new Set(said.map((address) => relayOn(address) ?? peer));
  if (said.length === 0) relays.add(peer);
  const strange = [...relays].filter((relay) => !ownPeers.has(relay));
  if (strange.some((relay) => named.addresses(relay).length === 0)) await named.learn();
  const through = (relay: string) => [
    `${relay}/p2p-circuit/webrtc/p2p/${peer}`,
    `${relay}/p2p-circuit/p2p/${peer}`,
  ];
  const byName = strange.flatMap((relay) => {
    const [best, ...rest] = named.addresses(relay).map(String);
    if (best === undefined) return [];
    return relay === peer ? [best, ...rest] : through(best);
  });
  return [...byName, ...said.map(String), ...own.flatMap(through)];
}
