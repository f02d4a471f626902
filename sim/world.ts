import { type Chain, ChainError, type ChainEvent, openChain } from '../src/chain/index.ts';
import { sampleAsSent } from '../src/chat/index.ts';
import type { Engine } from '../src/engine/index.ts';
import { createHost, type Host, HostError, type LentSlice } from '../src/host/index.ts';
import type { Manifest, Slice } from '../src/model/index.ts';
import { SimClock } from './clock.ts';
import { SimDirectory } from './directory.ts';
import { EngineLedger } from './engine.ts';
import { type Death, Network } from './network.ts';
import { mix, Random } from './random.ts';
import type { ClientPlan, HostPlan, Scenario } from './scenario.ts';
import { type Actor, Scheduler } from './scheduler.ts';
import type { SimTransport } from './transport.ts';

const AGENT = 'shoal/sim';

/** The whole model in one place. */
export interface Oracle {
  push(token: number): Promise<Float32Array> | Float32Array;
  close?(): Promise<void>;
}

/** The model of a world: who makes engines for it, and what a whole one would say. */
export interface WorldModel {
  manifest: Manifest;
  cid: string;
  vocabulary: number;
  /** KV bytes of one token in one layer, as its engines say. */
  kvBytes: number;
  weightBytes: number;
  /** Most tokens of a session. */
  maxTokens: number;
  /** Its numbers do not depend on how positions are grouped: logits can be compared bit by bit. */
  exact: boolean;
  engine(world: World, actor: Actor, slice: Slice, layerMs: number): Promise<Engine>;
  oracle(): Oracle;
}

/** One peer that lends. */
export interface HostPeer {
  plan: HostPlan;
  transport: SimTransport;
  clock: SimClock;
  host: Host;
  draining: boolean;
  /** It lies or speaks another version: it covers nothing. */
  untrustedUntil: number;
}

export interface ClientPeer {
  plan: ClientPlan;
  transport: SimTransport;
  clock: SimClock;
  /** Chains that it opened. */
  chains: Chain[];
  shared: Promise<Chain> | null;
  /** Engines of the layers that it runs itself. */
  parts: Engine[];
  host: Host | null;
  events: ChainEvent[];
  dead: boolean;
  /** World time at which it found that time had gone by without it: a frozen tab, a clock that jumped. */
  sleptUntil: number;
}

/** All peers of one seed, running the real `chain/` and `host/` on simulated time. */
export class World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly directory: SimDirectory;
  readonly ledger = new EngineLedger();
  readonly random: Random;
  #ids = 0;
  readonly hosts: HostPeer[] = [];
  readonly clients: ClientPeer[] = [];
  /** The last time at which the live hosts did not cover the layers that a client needs. */
  readonly uncoveredAt = new Map<string, number>();
  readonly hits = new Map<string, number>();
  /** What must never be, in words. */
  readonly broken: string[] = [];

  constructor(
    readonly scenario: Scenario,
    readonly model: WorldModel,
  ) {
    const { seed, latencyMs, jitterMs } = scenario;
    this.scheduler = new Scheduler(seed);
    this.random = new Random(seed, 'world');
    const shape = (a: string, b: string) => {
      // The same for both ways, and whoever dials.
      const pair = new Random(seed, [a, b].sort().join('~'));
      return {
        latencyMs: pair.between(...latencyMs),
        bandwidth: pair.between(200, 4000),
        jitterMs,
        highWater: pair.integer(2_000, 64_000),
      };
    };
    this.network = new Network(this.scheduler, new Random(seed, 'network'), shape);
    this.directory = new SimDirectory(this.scheduler, new Random(seed, 'directory'), (peer) =>
      this.network.alive(peer),
    );
  }

  get layers(): number {
    return this.scenario.layers;
  }

  /** A line in the trace of one seed. */
  note(line: string): void {
    this.scheduler.onEvent?.(this.scheduler.now, '***', line);
  }

  hit(fault: string): void {
    this.hits.set(fault, (this.hits.get(fault) ?? 0) + 1);
    this.note(`FAULT ${fault}`);
  }

  /** Makes all hosts, which lend their slices, and the clients. */
  async start(): Promise<void> {
    for (const plan of this.scenario.hosts) this.#addHost(plan);
    for (const plan of this.scenario.clients) this.#addClient(plan);
    const lending = this.hosts.map(({ host, plan, transport }) =>
      host.lend(this.slice(plan, transport.actor)),
    );
    await this.until(Promise.all(lending));
  }

  /** Runs the world until a promise is settled. */
  async until<T>(work: Promise<T>, limitMs = Number.POSITIVE_INFINITY): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const result = await this.scheduler.run(() => over, this.scheduler.now + limitMs);
    if (result !== 'done') throw new Error(`the world came to rest (${result}) while something was awaited`);
    return work;
  }

  /** Lets a peer finish something, unless it dies over it. */
  async finish(actor: Actor, work: Promise<unknown>, limitMs: number): Promise<void> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const result = await this.scheduler.run(
      () => over || actor.state === 'dead',
      this.scheduler.now + limitMs,
    );
    if (result !== 'done') throw new Error(`${actor.name} did not finish (${result})`);
    if (over) await work;
  }

  /** What a peer lends: engines are made on demand, as weights would be read. */
  slice(plan: HostPlan, actor: Actor): LentSlice {
    const { start, end } = plan.slice;
    const perToken = this.model.kvBytes * (end - start);
    return {
      start,
      end,
      cid: this.model.cid,
      layers: this.layers,
      main: { start, end, embed: false, head: false },
      load: (part) => this.model.engine(this, actor, part, plan.layerMs),
      memoryBudget: 4 * this.model.weightBytes * this.layers + plan.room * this.model.maxTokens * perToken,
    };
  }

  /** The client's one chain, or a chain for each conversation: a page may do either. */
  chainFor(client: ClientPeer, signal: AbortSignal): Promise<Chain> {
    if (!client.plan.oneChain) return this.#openChain(client, signal);
    client.shared ??= this.#openChain(client).catch((error: unknown) => {
      client.shared = null;
      throw error;
    });
    // Whoever stops waits no longer; the others still want it.
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new ChainError('aborted', 'Stopped.')), { once: true });
    });
    return Promise.race([client.shared, stopped]);
  }

  async #openChain(client: ClientPeer, signal?: AbortSignal): Promise<Chain> {
    const { plan, transport, clock } = client;
    const { actor } = transport;
    const make = (part: Slice) => this.model.engine(this, actor, part, 0.2);
    const front = plan.front > 0 ? await make({ start: 0, end: plan.front, embed: true, head: false }) : null;
    const head =
      plan.privacy === 'private'
        ? await make({ start: this.layers, end: this.layers, embed: false, head: true })
        : null;
    for (const part of [front, head]) if (part) client.parts.push(part);
    const chain = await openChain(
      {
        transport,
        directory: this.directory.of(actor),
        clock,
        manifest: this.model.manifest,
        cid: this.model.cid,
        privacy: plan.privacy,
        parts: { front, head },
        agent: AGENT,
        randomId: () => hexOf(mix(this.scenario.seed, ++this.#ids), actor.name),
        maxTokens: this.model.maxTokens,
        limits: { chunk: this.scenario.chunk, stepMs: this.scenario.stepMs },
        runLocally: plan.local ? (range) => this.#lendOwn(client, range) : undefined,
        onEvent: (event) => {
          client.events.push(event);
          this.note(`${plan.name} ${JSON.stringify(event)}`);
        },
      },
      signal,
    );
    client.chains.push(chain);
    return chain;
  }

  host(name: string): HostPeer | undefined {
    return this.hosts.find(({ plan }) => plan.name === name);
  }

  kill(name: string, death: Death): void {
    this.note(`KILL ${name} ${death}`);
    this.network.kill(name, death);
    this.#purgeSoon(name, death === 'silent' ? 3500 : 60);
    const client = this.clients.find(({ plan }) => plan.name === name);
    if (client) client.dead = true;
    this.noteCover();
  }

  freeze(name: string, ms: number): void {
    this.note(`FREEZE ${name} ${Math.round(ms)} ms`);
    this.network.freeze(name, ms);
    const client = this.clients.find(({ plan }) => plan.name === name);
    if (client) client.sleptUntil = this.scheduler.now + ms;
    if (ms > 3500) {
      this.#purgeSoon(name, 3500);
      // It reaches its relay again some time after it woke up (facts/libp2p.md).
      const back = ms + this.random.between(1000, 5000);
      this.scheduler.after(back, this.network.world, `${name} republishes`, () => {
        if (this.network.alive(name)) this.directory.republish(name);
      });
    }
    this.noteCover();
  }

  /** A peer covers nothing for so long: it lies, is stuck, or speaks another version. */
  distrust(name: string, ms = Number.POSITIVE_INFINITY): void {
    const host = this.host(name)!;
    host.untrustedUntil = Math.max(host.untrustedUntil, this.scheduler.now + ms);
    this.noteCover();
  }

  /** Peers that could serve: the truth, whatever the others know. */
  serving(): HostPeer[] {
    return this.hosts.filter(
      ({ transport, draining, untrustedUntil }) =>
        transport.actor.state === 'running' && !draining && untrustedUntil <= this.scheduler.now,
    );
  }

  /** Whether live hosts cover what a client does not run itself, or it can stand in for them. */
  covers(client: ClientPeer, hosts = this.serving()): boolean {
    return client.plan.local || this.othersCover(client, hosts);
  }

  othersCover(client: ClientPeer, hosts = this.serving()): boolean {
    let at = client.plan.front;
    for (;;) {
      const ends = hosts.filter(({ plan }) => plan.slice.start <= at).map(({ plan }) => plan.slice.end);
      const next = Math.max(at, ...ends);
      if (next >= this.layers) return true;
      if (next === at) return false;
      at = next;
    }
  }

  /** Writes down which clients cannot be served now. */
  noteCover(): void {
    for (const client of this.clients)
      if (!this.othersCover(client)) this.uncoveredAt.set(client.plan.name, this.scheduler.now);
  }

  #purgeSoon(name: string, ms: number): void {
    this.scheduler.after(ms, this.network.world, `relay forgets ${name}`, () => this.directory.purge(name));
  }

  async #lendOwn(client: ClientPeer, range: { start: number; end: number }): Promise<boolean> {
    const { actor } = client.transport;
    client.host ??= this.#makeHost(client.transport, client.clock);
    const plan = { name: client.plan.name, slice: range, layerMs: 1, room: 8 };
    try {
      await client.host.lend(this.slice(plan, actor));
    } catch (error) {
      // It is lent already: to be asked for it is all that is needed.
      if (!(error instanceof HostError && error.code === 'already-lent')) throw error;
    }
    this.hit('mode local');
    return true;
  }

  #makeHost(transport: SimTransport, clock: SimClock): Host {
    const directory = this.directory.of(transport.actor);
    return createHost({ transport, directory, clock, agent: AGENT, sample: sampleAsSent });
  }

  #addHost(plan: HostPlan): void {
    const transport = this.network.join(plan.name);
    const random = new Random(this.scenario.seed, `clock ${plan.name}`);
    const clock = new SimClock(this.scheduler, transport.actor, random.between(0, 1e7));
    const host = this.#makeHost(transport, clock);
    this.hosts.push({ plan, transport, clock, host, draining: false, untrustedUntil: 0 });
  }

  #addClient(plan: ClientPlan): void {
    const transport = this.network.join(plan.name);
    const clock = new SimClock(this.scheduler, transport.actor, 1e6);
    let host: Host | null = null;
    if (plan.lends) {
      host = this.#makeHost(transport, clock);
      this.hosts.push({ plan: plan.lends, transport, clock, host, draining: false, untrustedUntil: 0 });
    }
    this.clients.push({
      plan,
      transport,
      clock,
      chains: [],
      shared: null,
      parts: [],
      host,
      events: [],
      dead: false,
      sleptUntil: Number.NEGATIVE_INFINITY,
    });
  }
}

function hexOf(id: number, name: string): string {
  let hex = '';
  for (let i = 0; i < 8; i++) {
    let word = mix(id, i);
    for (let c = 0; c < name.length; c++) word = mix(word, name.charCodeAt(c));
    hex += word.toString(16).padStart(8, '0');
  }
  return hex;
}
