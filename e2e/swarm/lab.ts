/** The swarm itself, without the product, for tests that drive it in real browsers. */

import type { Holding, LayerRange, Link, PeerAddress, Swarm, SwarmStatus } from '../../src/swarm/index.ts';
import { createTabSwarm } from '../../src/swarm/web.ts';
import { bareRoundTrips } from './bare-channel.ts';
import { type Route, routes } from './recorded-connections.ts';

/** First byte of a body: answer it, an answer, or neither. */
const ECHO = 1;
const ANSWER = 2;
const LENGTH_BYTES = 4;

interface Told {
  peer: string;
  reason: string;
  /** Milliseconds since 1970: comparable between pages. */
  at: number;
}

const now = () => performance.timeOrigin + performance.now();

class Tab {
  readonly gone: Told[] = [];
  readonly #swarm: Swarm;
  #frames = 0;
  readonly #answers = new Map<string, () => void>();

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
    swarm.transport.listen({
      frame: (from, body) => {
        this.#frames++;
        if (body[0] === ANSWER) this.#answers.get(from)?.();
        if (body[0] === ECHO)
          void swarm.transport.send({ peer: from, addrs: [] }, framed(body.length, ANSWER));
      },
      gone: (peer, reason) => this.gone.push({ peer, reason, at: now() }),
    });
  }

  get frames(): number {
    return this.#frames;
  }

  /** Milliseconds of each frame there and back. */
  async echo(to: PeerAddress, bytes: number, times: number): Promise<number[]> {
    const frame = framed(bytes, ECHO);
    const spent: number[] = [];
    for (let i = 0; i < times; i++) {
      const started = performance.now();
      const answered = new Promise<void>((resolve) => this.#answers.set(to.peer, resolve));
      await this.#swarm.transport.send(to, frame);
      await answered;
      spent.push(performance.now() - started);
    }
    return spent;
  }
}

let swarm: Swarm;
let tab: Tab;

const lab = {
  bareRoundTrips,
  async start(relay: string): Promise<{ peer: string; ms: number; addresses: string[] }> {
    const started = performance.now();
    swarm = await createTabSwarm({ relays: [relay] });
    tab = new Tab(swarm);
    await swarm.ready;
    return { peer: swarm.peer, ms: performance.now() - started, addresses: swarm.transport.addresses() };
  },
  stop: (reason: string): Promise<void> => swarm.close(reason),
  echo: (to: PeerAddress, bytes: number, times: number): Promise<number[]> => tab.echo(to, bytes, times),
  /** Milliseconds until a frame of `bytes` was taken by the link, dial included. */
  async send(to: PeerAddress, bytes: number): Promise<number> {
    const started = performance.now();
    await swarm.transport.send(to, framed(bytes, 0));
    return performance.now() - started;
  },
  frames: (): number => tab.frames,
  gone: (): Told[] => tab.gone,
  links: (): Link[] => swarm.transport.links(),
  status: (): SwarmStatus => swarm.status(),
  announce: (slice: Holding): Promise<void> => swarm.directory.announce(slice),
  async holders(
    model: { cid: string; layers: number },
    range: LayerRange,
  ): Promise<{ holders: PeerAddress[]; ms: number }> {
    const started = performance.now();
    const holders = await swarm.directory.holders(model, range);
    return { holders, ms: performance.now() - started };
  },
  routes: (): Promise<Route[]> => routes(),
  now,
};

function framed(bytes: number, first: number): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + bytes);
  new DataView(frame.buffer).setUint32(0, bytes);
  frame[LENGTH_BYTES] = first;
  return frame;
}

export type SwarmLab = typeof lab;
declare global {
  interface Window {
    swarmLab: SwarmLab;
  }
}
window.swarmLab = lab;
