import type { ClientParts } from '../../../src/chain/index.ts';
import { type Chain, type ChainEvent, type ChainLimits, openChain } from '../../../src/chain/index.ts';
import { FRONT_LAYERS, type Swarm } from '../../../src/swarm/index.ts';
import { type GreedyRun, greedyRun } from '../greedy.ts';
import { AGENT, MAX_TOKENS } from './limits.ts';
import type { TabModel } from './model.ts';

export interface ChainRequest {
  /** Peers to take, in order of the chain. */
  prefer: string[];
  limits?: Partial<ChainLimits>;
}

export interface RunRequest {
  prompt: number[];
  steps: number;
  /** Ends with the first token that came after a hop was replaced. */
  untilRecovered?: boolean;
}

export interface ChainRun extends GreedyRun {
  /** Hops that computed at the end, in order. */
  peers: string[];
  recovered: { pauseMs: number; replayed: number }[];
  /** Why hops were given up. */
  lost: string[];
  /** Milliseconds that finding and probing took. */
  findMs: number;
}

interface OpenChain {
  chain: Chain;
  events: ChainEvent[];
}

/** A client of the network in private mode: embedding, front layers and head are here, the rest is elsewhere. */
export class Client {
  #parts: ClientParts | null = null;
  #open: OpenChain | null = null;
  #running: Promise<ChainRun> | null = null;
  /** Tokens of the run under way. */
  count = 0;

  constructor(
    private readonly swarm: Swarm,
    private readonly model: TabModel,
  ) {}

  async load(): Promise<void> {
    const { layers } = this.model.manifest.config;
    const front = { start: 0, end: FRONT_LAYERS, embed: true, head: false };
    const head = { start: layers, end: layers, embed: false, head: true };
    this.#parts = {
      front: await this.model.engine(front, MAX_TOKENS),
      head: await this.model.engine(head, MAX_TOKENS),
    };
  }

  /** Finds and probes anew; nothing of an earlier chain is left. */
  async open({ prefer, limits }: ChainRequest): Promise<void> {
    if (!this.#parts) throw new Error('load the parts first');
    await this.#open?.chain.dispose();
    this.#open = null;
    const { manifest, cid } = this.model;
    const { transport, directory, clock } = this.swarm;
    const events: ChainEvent[] = [];
    const chain = await openChain({
      ...{ transport, directory, clock, manifest, cid, prefer, limits },
      privacy: 'private',
      parts: this.#parts,
      agent: AGENT,
      randomId,
      onEvent: (event) => events.push(event),
    });
    this.#open = { chain, events };
  }

  /** Begins a run in a new session of the open chain; `finish` waits for it. */
  start(request: RunRequest): void {
    if (!this.#open) throw new Error('open a chain first');
    this.count = 0;
    this.#running = this.#run(this.#open, request);
    this.#running.catch(() => {});
  }

  finish(): Promise<ChainRun> {
    if (!this.#running) throw new Error('start a run first');
    return this.#running;
  }

  async #run({ chain, events }: OpenChain, request: RunRequest): Promise<ChainRun> {
    const before = events.length;
    const recovered = () => events.slice(before).filter((event) => event.type === 'recovered');
    const run = await greedyRun(chain, request.prompt, request.steps, {
      onToken: (count) => {
        this.count = count;
        return !(request.untilRecovered && recovered().length > 0);
      },
    });
    const { hops, findMs } = chain.status();
    return {
      ...run,
      peers: hops.map(({ peer }) => peer),
      recovered: recovered().map(({ pauseMs, replayed }) => ({ pauseMs, replayed })),
      lost: events.slice(before).flatMap((event) => (event.type === 'lost' ? [event.reason] : [])),
      findMs,
    };
  }
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
