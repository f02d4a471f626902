import type { Clock, Transport } from '../swarm/index.ts';
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type Message,
  type PeerAddress,
  PROTOCOL_VERSION,
  WireError,
} from '../wire/index.ts';
import { ChainError } from './types.ts';
import { abortable } from './wait.ts';

/** Who gets what comes for one session. */
export interface SessionListener {
  /** Whether a message from that peer can matter: others are not even decoded. */
  knows(peer: string): boolean;
  message(from: string, message: Message): void;
  gone(peer: string, reason: string): void;
}

interface Probe {
  peer: string;
  resolve(hello: Hello): void;
  reject(error: Error): void;
}

/** The client's end of the transport: one listener, from which messages go to the sessions and probes they are for. */
export class Control {
  readonly #sessions = new Map<string, SessionListener>();
  readonly #probes = new Map<number, Probe>();
  readonly #unlisten: () => void;
  /** Peers that were lost, whoever knew them. */
  onGone: (peer: string) => void = () => undefined;
  #nonce = 0;

  constructor(
    readonly transport: Transport,
    readonly clock: Clock,
    private readonly agent: string,
  ) {
    this.#unlisten = transport.listen({
      frame: (from, bytes) => this.#receive(from, bytes),
      gone: (peer, reason) => this.#gone(peer, reason),
    });
  }

  /** @returns a function that ends it */
  attach(sessionId: string, listener: SessionListener): () => void {
    this.#sessions.set(sessionId, listener);
    return () => this.#sessions.delete(sessionId);
  }

  /** @throws TransportError, ChainError when the signal is aborted */
  send(to: PeerAddress, message: Message, signal: AbortSignal): Promise<void> {
    return abortable(this.transport.send(to, encodeMessage(message), { signal }), signal);
  }

  /**
   * Asks a peer what it lends.
   * @returns its hello, and the milliseconds that it took
   * @throws TransportError, ChainError `unreachable`; ends only with an answer, a loss or the signal
   */
  async probe(address: PeerAddress, signal: AbortSignal): Promise<{ hello: Hello; ms: number }> {
    const nonce = ++this.#nonce;
    const started = this.clock.now();
    const answer = new Promise<Hello>((resolve, reject) =>
      this.#probes.set(nonce, { peer: address.peer, resolve, reject }),
    );
    // A probe that ends by an error of `send` is listened to by nobody.
    answer.catch(() => undefined);
    try {
      await this.send(
        address,
        {
          kind: 'hello',
          peer_id: this.transport.publicKey,
          proto_ver: PROTOCOL_VERSION,
          supported_quants: [],
          ask: true,
          nonce,
          agent: this.agent,
        },
        signal,
      );
      const hello = await abortable(answer, signal);
      return { hello, ms: this.clock.now() - started };
    } finally {
      this.#probes.delete(nonce);
    }
  }

  dispose(): void {
    this.#unlisten();
    this.#sessions.clear();
    for (const { reject } of this.#probes.values()) reject(new ChainError('closed', 'This chain is closed.'));
  }

  #receive(from: string, bytes: Uint8Array): void {
    if (!this.#expects(from)) return;
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (error instanceof WireError && error.code === 'unknown-kind') return;
      this.transport.cutOff(from, 'it sent something that is no message');
      return;
    }
    if (message.kind === 'hello') {
      const probe = message.nonce === undefined ? undefined : this.#probes.get(message.nonce);
      if (probe?.peer === from && !message.ask) probe.resolve(message);
      return;
    }
    const session = this.#sessions.get(message.session_id);
    if (session?.knows(from)) session.message(from, message);
  }

  #expects(peer: string): boolean {
    for (const probe of this.#probes.values()) if (probe.peer === peer) return true;
    for (const session of this.#sessions.values()) if (session.knows(peer)) return true;
    return false;
  }

  #gone(peer: string, reason: string): void {
    this.onGone(peer);
    for (const probe of [...this.#probes.values()])
      if (probe.peer === peer) probe.reject(new ChainError('unreachable', `${peer} is gone: ${reason}`));
    for (const session of [...this.#sessions.values()]) if (session.knows(peer)) session.gone(peer, reason);
  }
}
