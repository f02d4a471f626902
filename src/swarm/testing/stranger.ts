import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { FrameReader, frame } from '../../wire/index.ts';
import { JOIN_PROTOCOL } from '../federation-limits.ts';

/** A peer that says it is a relay and keeps to libp2p, and to none of our rules unless the test makes it. */
export class Stranger {
  readonly asked: { id: number; key: string }[] = [];
  /** Resolves when the relay ended the stream. */
  readonly ended: Promise<void>;
  answer: (question: { id: number; key: string }) => unknown = () => undefined;
  #wake: (() => void)[] = [];
  #heard = 0;

  private constructor(
    readonly node: Libp2p,
    readonly connection: Connection,
    readonly stream: Stream,
  ) {
    const reader = new FrameReader((body) => this.#take(JSON.parse(new TextDecoder().decode(body))));
    stream.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) reader.push(chunk);
    });
    this.ended = new Promise((resolve) => {
      stream.addEventListener('close', () => resolve());
      // It was refused before anyone could listen.
      if (stream.status !== 'open') resolve();
    });
  }

  static async at(address: string): Promise<Stranger> {
    const node = await createLibp2p({
      transports: [webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    });
    const connection = await node.dial(multiaddr(address));
    return new Stranger(node, connection, await connection.newStream(JOIN_PROTOCOL));
  }

  get peer(): string {
    return this.node.peerId.toString();
  }

  say(message: unknown): void {
    this.raw(frame(new TextEncoder().encode(JSON.stringify(message))));
  }

  raw(bytes: Uint8Array): void {
    this.stream.send(bytes);
  }

  /** Greets, and resolves when the relay told of itself. */
  async join(hello: object = {}): Promise<void> {
    this.say({ kind: 'hello', addresses: [], port: null, ...hello });
    while (this.#heard === 0) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async stop(): Promise<void> {
    await this.node.stop();
  }

  #take(message: { kind: string; id: number; key: string }): void {
    this.#heard++;
    if (message.kind === 'ask') {
      this.asked.push(message);
      const answer = this.answer(message);
      if (answer !== undefined) this.say(answer);
    }
    for (const resolve of this.#wake.splice(0)) resolve();
  }
}
