import type { Clock, Transport } from '../swarm/index.ts';
import { encodeMessage, type Message, type PeerAddress } from '../wire/index.ts';
import type { HostCounters } from './types.ts';

/** Milliseconds that a message to a client may wait for its link; the other side's own deadlines are longer. */
const DELIVERY_MS = 5_000;
/** Messages that may wait for one peer: a peer that asks and never reads must not fill the memory. */
const WAITING_PER_PEER = 256;

/** Sends the messages of the control path: each has a deadline, and one that cannot be delivered is dropped. */
export class Mailer {
  readonly #waiting = new Map<string, number>();
  readonly #deliveries = new Set<Promise<boolean>>();

  constructor(
    private readonly transport: Transport,
    private readonly clock: Clock,
    private readonly counters: HostCounters,
  ) {}

  /** Sends and does not wait. */
  post(to: PeerAddress, message: Message): void {
    void this.deliver(to, message);
  }

  /** @returns whether the link took it */
  deliver(to: PeerAddress, message: Message): Promise<boolean> {
    const delivery = this.#deliver(to, message).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
    return delivery;
  }

  /** Resolves when everything so far is sent, or given up. */
  async idle(): Promise<void> {
    await Promise.all(this.#deliveries);
  }

  async #deliver(to: PeerAddress, message: Message): Promise<boolean> {
    const waiting = this.#waiting.get(to.peer) ?? 0;
    if (waiting >= WAITING_PER_PEER) return false;
    this.#waiting.set(to.peer, waiting + 1);
    const stop = new AbortController();
    const cancel = this.clock.after(DELIVERY_MS, () => stop.abort());
    try {
      const frame = encodeMessage(message);
      await this.transport.send(to, frame, { signal: stop.signal });
      this.counters.bytesOut += frame.length;
      return true;
    } catch {
      // Whoever cannot be reached learns by its own deadline; `gone` tells this side.
      return false;
    } finally {
      cancel();
      const left = this.#waiting.get(to.peer)! - 1;
      if (left > 0) this.#waiting.set(to.peer, left);
      else this.#waiting.delete(to.peer);
    }
  }
}
