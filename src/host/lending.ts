import type { EngineInfo } from '../engine/index.ts';
import type { Clock, Directory, Holding } from '../swarm/index.ts';
import type { Offer, Part } from '../wire/index.ts';
import { Leases } from './leases.ts';
import { keyOf, Parts } from './parts.ts';
import { Pipeline } from './pipeline.ts';
import { Rest } from './rest.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import { stagesOf } from './stages.ts';
import { HostError, type HostedSlice, type LentSlice } from './types.ts';

/** Milliseconds until a record that could not be published is tried again. */
const ANNOUNCE_AGAIN_MS = 10_000;
/** Milliseconds that the directory may take for one answer. */
const DIRECTORY_MS = 30_000;

/** A pipeline and what runs its sessions. */
export interface Runner {
  pipeline: Pipeline;
  scheduler: Scheduler;
}

export interface LendingOptions extends Omit<SchedulerOptions, 'pipeline' | 'onPositions' | 'rest'> {
  clock: Clock;
  directory: Directory;
  announceMs: number;
  onChange(): void;
}

/** One slice that is lent: its engines, its record in the directory, and what it offers. */
export class Lending {
  readonly parts: Parts;
  state: HostedSlice['state'] = 'announcing';
  announced = false;
  /** Positions computed since it was loaded. */
  positions = 0;
  #loadMs = 0;
  #cancelAnnounce: () => void = () => undefined;
  #settleAnnounce: (published: boolean) => void = () => undefined;
  #announcing: Promise<void> = Promise.resolve();
  /** A record that is being withdrawn, null when none is. */
  #withdrawing: Promise<void> | null = null;
  readonly #rest: Rest;
  readonly #runners: Leases<Runner & { stages: Part[] }>;

  constructor(
    readonly slice: LentSlice,
    private readonly options: LendingOptions,
  ) {
    this.parts = new Parts(slice);
    this.#rest = new Rest(options.clock, () => this.power);
    this.#runners = new Leases(({ pipeline, stages }) => {
      void pipeline.dispose().finally(() => {
        for (const part of stages) this.parts.release(part);
      });
    }, false);
  }

  /** Of the main part. */
  get info(): EngineInfo {
    return this.parts.info;
  }

  /** @throws HostError, EngineError, ModelError */
  async load(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const { main } = this.slice;
    const started = clock.now();
    await this.parts.loadMain(signal);
    this.#loadMs = (clock.now() - started) / Math.max(1, main.end - main.start);
  }

  /**
   * Publishes the record and keeps it published.
   * @returns true when it is, however often that has to be tried; false when it was withdrawn before
   */
  announce(): Promise<boolean> {
    if (this.slice.ownUse) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#settleAnnounce = resolve;
      this.announceAgain();
    });
  }

  /** After `hide`: publishes the record anew. */
  announceAgain(): void {
    if (this.slice.ownUse) return;
    this.#cancelAnnounce();
    // A withdrawal that is under way must not come after the record.
    this.#announcing = this.#withdrawing ? this.#withdrawing.then(() => this.#announce()) : this.#announce();
  }

  /** Withdraws the record for good. */
  withdraw(): Promise<void> {
    this.#settleAnnounce(false);
    return this.hide();
  }

  /** Withdraws the record; who waits for it to be published goes on waiting. */
  async hide(): Promise<void> {
    this.#cancelAnnounce();
    if (!this.#withdrawing) {
      const withdrawing = this.#hide().finally(() => {
        if (this.#withdrawing === withdrawing) this.#withdrawing = null;
      });
      this.#withdrawing = withdrawing;
    }
    await this.#withdrawing;
  }

  async #hide(): Promise<void> {
    // A record that is just being published must not come after its withdrawal.
    await this.#announcing;
    if (this.slice.ownUse) return;
    const done = this.options.directory.withdraw(this.holding).catch(() => undefined);
    await this.#within(done);
    this.announced = false;
    this.options.onChange();
  }

  async #announce(): Promise<void> {
    if (this.state !== 'announcing') return;
    const done = this.options.directory.announce(this.holding).then(
      () => true,
      () => false,
    );
    this.announced = (await this.#within(done)) ?? false;
    if (this.state !== 'announcing') return;
    this.options.onChange();
    if (this.announced) this.#settleAnnounce(true);
    const ms = this.announced ? this.options.announceMs : ANNOUNCE_AGAIN_MS;
    // Resumed while it was on its way: then two of them come here.
    this.#cancelAnnounce();
    this.#cancelAnnounce = this.options.clock.after(ms, () => this.announceAgain());
  }

  /** @param self own peer id */
  serves(peer: string, self: string): boolean {
    return peer === self || !this.slice.ownUse;
  }

  covers(cid: string, part: Part): boolean {
    const { slice, options } = this;
    if (cid !== slice.cid || part.start < slice.start || part.end > slice.end) return false;
    if (part.embed && part.start !== 0) return false;
    return !part.head || (part.end === slice.layers && options.sample !== undefined);
  }

  /** What runs a part; give it back with `release`. @throws what loading throws, HostError `aborted` */
  async open(part: Part, signal: AbortSignal): Promise<Runner> {
    return this.#runners.take(keyOf(part), (stop) => this.#makeRunner(part, stop), signal);
  }

  release(part: Part): void {
    this.#runners.give(keyOf(part));
  }

  /** Part of the time that the engines run for others. */
  private get power(): number {
    return this.slice.power ?? 1;
  }

  /** @param sessions open now */
  offer(sessions: number): Offer {
    const { slice, info, options, power } = this;
    return {
      cid: slice.cid,
      start: slice.start,
      end: slice.end,
      embed: slice.start === 0,
      head: slice.end === slice.layers && options.sample !== undefined,
      loaded: this.parts.loaded(),
      load_ms: this.#loadMs,
      arithmetic: info.arithmetic,
      precision: info.precision,
      backend: info.backend,
      max_tokens: info.maxTokens,
      free_blocks: this.parts.freeBlocks(),
      sessions,
      // With the rests, as whoever asks will find it.
      decode_ms: (info.speed?.decodeMsPerLayer ?? 0) / power,
      prefill_ms: (info.speed?.prefillMsPerLayer ?? 0) / power,
      draining: this.state !== 'announcing',
      positions: this.positions,
    };
  }

  hosted(sessions: number): HostedSlice {
    const { start, end, cid } = this.slice;
    const { state, announced, info } = this;
    return { start, end, cid, state, announced, engine: info, offer: this.offer(sessions) };
  }

  /** Disposes of every engine. The sessions on them must be closed. */
  async dispose(): Promise<void> {
    this.#cancelAnnounce();
    this.#runners.clear();
    await this.parts.dispose();
  }

  private get holding(): Holding {
    const { cid, start, end, layers } = this.slice;
    return { cid, start, end, layers };
  }

  async #makeRunner(part: Part, signal: AbortSignal): Promise<Runner & { stages: Part[] }> {
    const { layers, head } = stagesOf(part, this.slice.main, this.slice.layers);
    const stages = head ? [...layers, head] : layers;
    const acquired = await Promise.allSettled(stages.map((stage) => this.parts.acquire(stage, signal)));
    const engines = acquired.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    try {
      const failed = acquired.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      const headEngine = head ? engines.pop()! : null;
      const session = headEngine ? await headEngine.open() : 0;
      const pipeline = new Pipeline(part, engines, headEngine && { engine: headEngine, session });
      const onPositions = (count: number) => {
        this.positions += count;
      };
      const scheduler = new Scheduler({ ...this.options, rest: this.#rest, pipeline, onPositions });
      return { pipeline, scheduler, stages };
    } catch (error) {
      stages.forEach((stage, at) => {
        if (acquired[at]!.status === 'fulfilled') this.parts.release(stage);
      });
      throw error;
    }
  }

  /** The value, or undefined when it takes too long. */
  #within<T>(value: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(DIRECTORY_MS, () => resolve(undefined));
      void value.then((known) => {
        cancel();
        resolve(known);
      });
    });
  }
}

/** @throws HostError `bad-slice` */
export function checkSlice({ start, end, layers, main, memoryBudget, power = 1 }: LentSlice): void {
  const whole = [start, end, layers, main.start, main.end].every(Number.isInteger);
  const within =
    0 <= start && start <= main.start && main.start < main.end && main.end <= end && end <= layers;
  const ends = (!main.embed || main.start === 0) && (!main.head || main.end === layers);
  if (whole && within && ends && memoryBudget > 0 && power > 0 && power <= 1) return;
  throw new HostError(
    'bad-slice',
    `[${start}, ${end}) of ${layers} layers, with [${main.start}, ${main.end}) loaded at once, is no slice to lend.`,
  );
}
