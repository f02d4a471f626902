import type { LayerRange, PeerAddress } from '../../wire/index.ts';
import {
  type Directory,
  type Holding,
  type Link,
  type Transport,
  TransportError,
  type TransportListener,
} from '../types.ts';

/**
 * Peers in one process with links that are always there: for tests of `chain/` and `host/`. Faults beyond a death are
 * the simulator's matter (`sim/`).
 */
export class MemoryNetwork {
  readonly #peers = new Map<string, MemoryTransport>();
  readonly #records = new Map<string, Holding[]>();
  /** Sees every frame before it is delivered; one for which it says false is lost on the way, and nobody is told. */
  tap: (from: string, to: string, body: Uint8Array) => boolean = () => true;
  /** Hears every call of a directory. */
  asked: (peer: string, call: keyof Directory, given: readonly unknown[]) => void = () => {};

  join(peer: string): MemoryTransport {
    const transport = new MemoryTransport(peer, this);
    this.#peers.set(peer, transport);
    return transport;
  }

  directory(peer: string): Directory {
    const own = () => this.#records.get(peer) ?? [];
    return {
      announce: async (slice) => {
        this.asked(peer, 'announce', [slice]);
        this.#records.set(peer, [...own(), slice]);
      },
      withdraw: async (slice) => {
        this.asked(peer, 'withdraw', [slice]);
        const { cid, start, end } = slice;
        const left = own().filter((held) => held.cid !== cid || held.start !== start || held.end !== end);
        this.#records.set(peer, left);
      },
      holders: async (model, range) => {
        this.asked(peer, 'holders', [model, range]);
        return this.#holders(model.cid, range);
      },
    };
  }

  /** Ends a peer as a closed tab does: its records go, and everyone it spoke with hears of it. */
  kill(peer: string, reason = 'closed'): void {
    const dead = this.#peers.get(peer);
    this.#peers.delete(peer);
    this.#records.delete(peer);
    dead?.die();
    for (const transport of this.#peers.values()) transport.lose(peer, reason);
  }

  find(peer: string): MemoryTransport | undefined {
    return this.#peers.get(peer);
  }

  #holders(cid: string, range: LayerRange): PeerAddress[] {
    const holds = (held: Holding) => held.cid === cid && held.start < range.end && held.end > range.start;
    return [...this.#records]
      .filter(([, holdings]) => holdings.some(holds))
      .map(([peer]) => ({ peer, addrs: [] }));
  }
}

export class MemoryTransport implements Transport {
  readonly publicKey: string;
  /** Sees every frame that leaves this peer. */
  readonly sent: { to: string; frame: Uint8Array }[] = [];
  readonly #listeners = new Set<TransportListener>();
  readonly #links = new Map<string, Link>();
  #alive = true;

  constructor(
    readonly self: string,
    private readonly network: MemoryNetwork,
  ) {
    this.publicKey = hex(self);
  }

  addresses(): string[] {
    return [`/memory/${this.self}`];
  }

  async send(to: PeerAddress, frame: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted) throw new TransportError('aborted', 'Stopped.');
    const receiver = this.#alive ? this.network.find(to.peer) : undefined;
    if (!receiver) throw new TransportError('unreachable', `${to.peer} does not answer.`);
    this.#link(to.peer).bytesOut += frame.length;
    receiver.#link(this.self).bytesIn += frame.length;
    this.sent.push({ to: to.peer, frame });
    // Without its length, as the listeners of a real transport get it.
    const body = frame.slice(4);
    if (!this.network.tap(this.self, to.peer, body)) return;
    queueMicrotask(() => {
      if (this.#alive || to.peer === this.self) receiver.receive(this.self, body);
    });
  }

  listen(listener: TransportListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  link(peer: string): Link | null {
    return this.#links.get(peer) ?? null;
  }

  links(): Link[] {
    return [...this.#links.values()];
  }

  cutOff(peer: string, reason: string): void {
    this.lose(peer, reason);
    this.network.find(peer)?.lose(this.self, 'cut off');
  }

  receive(from: string, body: Uint8Array): void {
    if (!this.#alive) return;
    for (const listener of [...this.#listeners]) listener.frame(from, body);
  }

  lose(peer: string, reason: string): void {
    if (!this.#links.delete(peer)) return;
    for (const listener of [...this.#listeners]) listener.gone(peer, reason);
  }

  die(): void {
    this.#alive = false;
    this.#links.clear();
  }

  #link(peer: string): Link {
    let link = this.#links.get(peer);
    if (!link) {
      const path = peer === this.self ? 'local' : 'direct';
      link = { peer, path, roundTripMs: 0.1, bytesIn: 0, bytesOut: 0 };
      this.#links.set(peer, link);
    }
    return link;
  }
}

/** Any name as 64 hexadecimal characters. */
function hex(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return Array.from({ length: 32 }, (_, i) => (bytes[i] ?? 0).toString(16).padStart(2, '0')).join('');
}
