import type { MemoryTransport } from '../../swarm/testing/memory.ts';
import {
  type AbortCode,
  decodeHidden,
  decodeMessage,
  encodeHidden,
  encodeMessage,
  encodeTokens,
  type ForwardHidden,
  type Heartbeat,
  type Hello,
  type Message,
  type SessionAck,
  type SessionInit,
} from '../../wire/index.ts';
import { WIDTH } from './arithmetic-engine.ts';

export const CID = 'cid-of-the-model';

type Kind = Message['kind'];
type Of<K extends Kind> = Extract<Message, { kind: K }>;

/** One hop of a chain laid by hand. */
export interface Hop {
  peer: string;
  start: number;
  end: number;
}

/** A client that sends exactly the frames a test wants, and keeps what comes back. */
export class HandClient {
  readonly inbox: { from: string; message: Message }[] = [];
  readonly gone: string[] = [];
  readonly #waiting = new Set<() => void>();
  epoch = 1;

  constructor(
    readonly transport: MemoryTransport,
    readonly sessionId = 'ab'.repeat(32),
  ) {
    transport.listen({
      frame: (from, bytes) => {
        const message = decodeMessage(bytes);
        if ('session_id' in message && message.session_id !== this.sessionId) return;
        this.inbox.push({ from, message });
        for (const look of [...this.#waiting]) look();
      },
      gone: (peer) => this.gone.push(peer),
    });
  }

  async send(peer: string, message: Message): Promise<void> {
    await this.transport.send({ peer, addrs: [] }, encodeMessage(message));
  }

  /** The first message of that kind (and peer) that nobody took yet. */
  take<K extends Kind>(kind: K, from?: string): Promise<Of<K>> {
    return new Promise((resolve) => {
      const look = () => {
        const at = this.inbox.findIndex(
          (got) => got.message.kind === kind && (from === undefined || got.from === from),
        );
        if (at < 0) return;
        this.#waiting.delete(look);
        resolve(this.inbox.splice(at, 1)[0]!.message as Of<K>);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Messages of a kind that came and were not taken. */
  left<K extends Kind>(kind: K): Of<K>[] {
    return this.inbox
      .map(({ message }) => message)
      .filter((message): message is Of<K> => message.kind === kind);
  }

  init(hop: Hop, prev: string, next: string, more: Partial<SessionInit> = {}): Promise<void> {
    return this.send(hop.peer, {
      kind: 'session_init',
      session_id: this.sessionId,
      client_x25519_pub: new Uint8Array(32),
      model_cid: CID,
      layer_range: { start: hop.start, end: hop.end },
      max_seq: 256,
      epoch: this.epoch,
      generation: 0,
      prev: { peer: prev, addrs: [] },
      next: { peer: next, addrs: [] },
      in_epoch: this.epoch,
      out_epoch: this.epoch,
      ...more,
    });
  }

  /** Opens a session along these hops and waits for all of them. */
  async open(hops: readonly Hop[], more: Partial<SessionInit> = {}): Promise<void> {
    const self = this.transport.self;
    for (const [at, hop] of hops.entries())
      await this.init(hop, hops[at - 1]?.peer ?? self, hops[at + 1]?.peer ?? self, more);
    for (const { peer } of hops) await this.take('session_ack', peer);
  }

  ack(from: string): Promise<SessionAck> {
    return this.take('session_ack', from);
  }

  /** Sends rows, [positions, width]. */
  rows(peer: string, position: number, rows: Float32Array, more: Partial<ForwardHidden> = {}): Promise<void> {
    return this.#frame(
      peer,
      position,
      encodeHidden(rows, WIDTH, 'fp32'),
      rows.length / WIDTH,
      WIDTH,
      'fp32',
      more,
    );
  }

  tokens(peer: string, position: number, tokens: number[], more: Partial<ForwardHidden> = {}): Promise<void> {
    return this.#frame(peer, position, encodeTokens(tokens), tokens.length, 1, 'tokens', more);
  }

  /** The values of the next answer. */
  async answer(): Promise<{ position: number; values: Float32Array }> {
    const { position, payload, shape, dtype } = await this.take('forward_hidden');
    return { position: position!, values: decodeHidden(payload, shape, dtype) };
  }

  /** Asks a hop how far it is; what was sent to it before has been taken or dropped when it answers. */
  async ask(peer: string): Promise<Heartbeat> {
    await this.send(peer, {
      kind: 'heartbeat',
      session_id: this.sessionId,
      last_seq: 0,
      health: 0,
      ask: true,
    });
    return this.take('heartbeat', peer);
  }

  async hello(peer: string, more: Partial<Hello> = {}): Promise<Hello> {
    await this.send(peer, {
      kind: 'hello',
      peer_id: this.transport.publicKey,
      proto_ver: 1,
      supported_quants: [],
      ask: true,
      nonce: 7,
      ...more,
    });
    return this.take('hello', peer);
  }

  abort(
    peer: string,
    code: AbortCode = 'done',
    more: { keep?: boolean; generation?: number } = {},
  ): Promise<void> {
    return this.send(peer, {
      kind: 'abort_session',
      session_id: this.sessionId,
      reason: code,
      code,
      ...more,
    });
  }

  #frame(
    peer: string,
    position: number,
    payload: Uint8Array,
    count: number,
    width: number,
    dtype: 'fp32' | 'tokens',
    more: Partial<ForwardHidden>,
  ): Promise<void> {
    return this.send(peer, {
      kind: 'forward_hidden',
      session_id: this.sessionId,
      seq: position,
      phase: count > 1 ? 'prefill' : 'decode',
      dtype,
      shape: [1, count, width],
      payload,
      kv_delta: null,
      epoch: this.epoch,
      generation: 0,
      position,
      answer_from: position + count - 1,
      ...more,
    });
  }
}
