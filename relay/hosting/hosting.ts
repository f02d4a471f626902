import { readFileSync } from 'node:fs';
import { sampleAsSent } from '../../src/chat/index.ts';
import { createHost, type Host, layersInWords } from '../../src/host/index.ts';
import type { LayerRange, Swarm } from '../../src/swarm/index.ts';
import type { ServedModel } from '../shelf.ts';
import type { Log, Meters } from '../watch/types.ts';
import { chooseDevices, type Device } from './devices.ts';
import { reasonOf } from './errors.ts';
import { type HostingHealth, type HostingState, slicesOf, together } from './health.ts';
import type { Lender } from './lender.ts';
import { lendModel, type ModelAtHand, makeOwn, openModel } from './models.ts';
import { OwnUse, uncovered } from './own-use.ts';
import { type HostingOptions, type Tools, toolsOf } from './tools.ts';
import { unlessStopped } from './until.ts';

export type { HostingHealth } from './health.ts';
export type { HostingOptions } from './tools.ts';

/** A model that was added: what is lent of it, and how that goes. */
interface Hosted {
  model: ServedModel;
  state: HostingState;
  lenders: Lender[];
  stop: AbortController;
  /** Settles when its turn is over: lent, being tried again, or failed. */
  placed: Promise<void>;
}

/** Lends slices of the relay's models to the network, runs others for the relay alone, and says how that goes. */
export class Hosting {
  readonly #log: Log;
  readonly #meters: Meters | undefined;
  readonly #models = new Map<string, Hosted>();
  readonly #stop = new AbortController();
  readonly #started: Promise<Host>;
  #settleStarted: (host: Host) => void = () => {};
  #host: Host | null = null;
  #swarm: Pick<Swarm, 'transport' | 'directory' | 'clock'> | null = null;
  #own: OwnUse | null = null;
  #devices: Promise<Device[]> | null = null;
  #knownDevices: readonly Device[] = [];
  #tools: Promise<Tools> | null = null;
  #draining = false;
  /** Memory is measured between one model and the next: they take turns, in the order in which they came. */
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: HostingOptions) {
    this.#log = options.log;
    this.#meters = options.meters;
    this.#started = new Promise((resolve) => {
      this.#settleStarted = resolve;
    });
  }

  /** Answers hellos and session messages from now on, also with nothing to lend. */
  start(swarm: Pick<Swarm, 'transport' | 'directory' | 'clock'>): Host {
    if (this.#host) return this.#host;
    const { transport, directory, clock } = swarm;
    const { sessions } = this.options.config;
    const limits = { sessions };
    this.#host = createHost({ transport, directory, clock, agent: agent(), sample: sampleAsSent, limits });
    this.#swarm = swarm;
    this.#own = new OwnUse(this.#host);
    this.#settleStarted(this.#host);
    return this.#host;
  }

  /** Null before `start`. */
  get host(): Host | null {
    return this.#host;
  }

  /** Begins to lend layers of a model in the background, after those that were added before it. */
  add(model: ServedModel): void {
    if (this.#models.has(model.cid) || this.#stop.signal.aborted) return;
    const off = this.options.config.layers === 'none';
    const hosted: Hosted = {
      model,
      state: off ? 'off' : 'waiting',
      lenders: [],
      stop: new AbortController(),
      placed: Promise.resolve(),
    };
    this.#models.set(model.cid, hosted);
    if (off) return;
    this.#turn = this.#turn.then(() => this.#lend(hosted));
    hosted.placed = this.#turn;
  }

  /** Ends what is lent of a model: nothing new is taken, what runs is finished until the signal says stop. */
  async remove(cid: string, signal?: AbortSignal): Promise<void> {
    const hosted = this.#models.get(cid);
    if (!hosted) return;
    this.#models.delete(cid);
    await this.#drainSlices((one) => one.cid === cid, signal);
    hosted.stop.abort();
    await this.#own?.dropModel(cid);
  }

  /**
   * Makes the own host able to run a range for this relay's own chains, within the memory budget: what is lent already
   * is used, the rest is loaded and served to nobody else. While a lent slice loads, this waits for it.
   * @returns false when it cannot: an unknown model, no memory, an engine that fails, or stopped
   */
  async ensure(cid: string, range: LayerRange, signal: AbortSignal): Promise<boolean> {
    const hosted = this.#models.get(cid);
    const { layers } = hosted?.model ?? { layers: 0 };
    if (!hosted || this.#draining || !(0 <= range.start && range.start < range.end && range.end <= layers))
      return false;
    const stop = AbortSignal.any([signal, this.#stop.signal, hosted.stop.signal]);
    try {
      await unlessStopped(this.#started, stop);
      await unlessStopped(hosted.placed, stop);
      const missing = () => uncovered(range, this.#running(cid));
      this.#own!.touch(cid, range);
      if (missing().length === 0) return true;
      // One after another: two that miss the same layers must not both load them.
      const job = this.#turn.then(async () => {
        for (const open of missing()) {
          stop.throwIfAborted();
          await this.#makeOwn(hosted.model, open, range, stop);
        }
      });
      this.#turn = job.catch(() => undefined);
      await unlessStopped(job, stop);
      return missing().length === 0;
    } catch (error) {
      if (!stop.aborted)
        this.#log.warn(
          `This relay cannot run ${layersInWords(range)} of ${hosted.model.name} itself. ${reasonOf(error)}`,
        );
      return false;
    }
  }

  health(): HostingHealth {
    const status = this.#host?.status();
    const states = [...this.#models.values()].map((hosted) => ({
      model: hosted.model.cid,
      state: hosted.lenders.length > 0 ? together(hosted.lenders.map(stateOf)) : hosted.state,
    }));
    return {
      state: this.options.config.layers === 'none' ? 'off' : together(states.map(({ state }) => state)),
      models: states,
      slices: slicesOf(status, (slice) => this.#own?.has(slice) ?? false),
      devices: this.#knownDevices.map(({ name, memory }) => ({
        name,
        total: memory.total,
        held: memory.heldBeside(null),
      })),
      sessions: status?.sessions ?? 0,
      counters: status?.counters ?? null,
    };
  }

  /** Takes nothing new, withdraws every record and lets what runs finish; the signal ends what is left at once. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    await this.#drainSlices(() => true, signal);
  }

  /** Says goodbye to everybody who is served. */
  async close(reason: string): Promise<void> {
    this.#draining = true;
    this.#stop.abort();
    await this.#host?.close(reason);
  }

  /** Never rejects. */
  async #lend(hosted: Hosted): Promise<void> {
    const stop = AbortSignal.any([this.#stop.signal, hosted.stop.signal]);
    try {
      await unlessStopped(this.#started, stop);
      if (this.#draining) return;
      hosted.state = 'loading';
      const at = await this.#open(hosted.model);
      hosted.lenders = await lendModel({
        ...at,
        host: this.#host!,
        swarm: this.#swarm!,
        options: this.options,
        signal: stop,
      });
      // While it drains, nothing that died is loaded again.
      for (const lender of hosted.lenders) void lender.run(stop);
      await Promise.all(hosted.lenders.map(({ first }) => first));
    } catch (error) {
      if (stop.aborted) return;
      hosted.state = 'failed';
      this.#meters?.count('shoal_errors_total', { room: 'hosting', code: codeOf(error) });
      this.#log.error(
        `No layers of ${hosted.model.name} are lent to the network; the relay serves on. ${reasonOf(error)}`,
      );
    }
  }

  async #makeOwn(model: ServedModel, open: LayerRange, wanted: LayerRange, signal: AbortSignal) {
    const at = await this.#open(model);
    const own = this.#own!;
    for (;;) {
      const made = await makeOwn({ ...at, range: open, options: this.options });
      if ('slice' in made) {
        return own.add(made, signal);
      }
      // Others make room, but not those that this very chain needs.
      const needed = (slice: LayerRange & { cid: string }) =>
        slice.cid === model.cid && slice.start < wanted.end && wanted.start < slice.end;
      if (made.hopeless || !(await own.dropIdle(needed))) throw made.problem;
    }
  }

  async #open(model: ServedModel): Promise<ModelAtHand> {
    this.#tools ??= toolsOf(this.options);
    const tools = await this.#tools;
    this.#devices ??= chooseDevices({
      wanted: this.options.config.devices,
      memory: this.options.config.memory,
      log: this.#log,
      inspect: () => tools.inspect(this.#stop.signal),
      freeOnGpu: tools.freeOnGpu,
    });
    // A GPU that was not ready at the first model may be at the next.
    this.#devices.catch(() => {
      this.#devices = null;
    });
    const devices = await this.#devices;
    this.#knownDevices = devices;
    return openModel(model, devices, tools, this.options);
  }

  /** Ranges of a model that this host runs for this relay's chains now. */
  #running(cid: string): LayerRange[] {
    const slices = this.#host?.status().slices ?? [];
    return slices.filter((one) => one.cid === cid && one.state === 'announcing');
  }

  async #drainSlices(which: (slice: { cid: string }) => boolean, signal?: AbortSignal): Promise<void> {
    const host = this.#host;
    if (!host) return;
    const lenders = [...this.#models.values()].flatMap((hosted) => hosted.lenders);
    for (const lender of lenders) if (which(lender.slice)) lender.end();
    const slices = host.status().slices.filter(which);
    // One that ended by itself in the meantime has nothing to finish.
    await Promise.allSettled(slices.map((slice) => host.drain(slice.cid, slice, { signal })));
  }
}

function stateOf({ state }: Lender): HostingState {
  return state === 'ended' ? 'off' : state;
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'failed';
}

/** Program and version, as other peers see it. */
function agent(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return `shoal/${version}`;
}
