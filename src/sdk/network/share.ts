import type { HostStatus, LentSlice } from '../../host/index.ts';
import type { Manifest } from '../../model/index.ts';
import { FRONT_LAYERS, type LayerRange } from '../../swarm/index.ts';
import type { Part } from '../../wire/index.ts';
import { aborted, ShoalError, toShoalError } from '../errors.ts';
import type { Library } from '../library.ts';
import { abortable } from '../queue.ts';
import type { ModelEntry } from '../types.ts';
import { chooseLayers } from './choose-layers.ts';
import type { Joined, Member } from './member.ts';
import type { PartLoader, PartOptions } from './part-loader.ts';
import { POWER } from './power.ts';
import { type CheckedLimits, checkLayers, checkLimits } from './sharing-limits.ts';
import { countsOf, NOTHING } from './sharing-state.ts';
import { survey } from './survey.ts';
import type { ShareLimits, ShareOptions, Sharing, UnshareOptions } from './types.ts';
import { watchLost } from './watch-lost.ts';

/** Milliseconds between looks at the counters of what is served. */
const COUNT_MS = 1000;

/** A slice that this tab lends, or gets ready to lend. */
interface Lending {
  control: AbortController;
  joined: Joined | null;
  range: LayerRange;
  cid: string;
  limits: CheckedLimits;
  /** Paused while it was still being prepared: it pauses as soon as it is lent. */
  paused: boolean;
  unsubscribe: () => void;
  /** Ends a drain at once. */
  force: AbortController;
  draining: Promise<void> | null;
}

/** Lends one slice of one model. */
export class Sharer {
  #lending: Lending | null = null;

  constructor(
    private readonly library: Library,
    private readonly member: Member,
    private readonly loadPart: PartLoader,
  ) {}

  /** @throws ShoalError, see Shoal.share */
  async share(
    { layers, power, memory, onProgress, signal }: ShareOptions,
    choose: (signal: AbortSignal) => Promise<ModelEntry>,
  ): Promise<Sharing> {
    if (signal?.aborted) throw aborted(signal.reason);
    if (this.#lending) {
      throw new ShoalError('bad-request', 'This tab shares a slice already. Call unshare() first.');
    }
    const limits = checkLimits({ power, memory });
    const control = new AbortController();
    const lending: Lending = {
      control,
      joined: null,
      range: { start: 0, end: 0 },
      cid: '',
      limits,
      paused: false,
      unsubscribe: () => {},
      force: new AbortController(),
      draining: null,
    };
    this.#lending = lending;
    this.member.state.update({ sharing: { ...NOTHING, power: limits.power } });
    const off = onProgress
      ? this.member.state.subscribe(({ sharing }) => sharing && onProgress(sharing))
      : () => {};
    const stop = signal ? AbortSignal.any([control.signal, signal]) : control.signal;
    try {
      await this.#prepare(lending, layers, choose, stop);
      const shared = this.member.state.get().sharing;
      if (stop.aborted || !shared) throw aborted(stop.reason);
      return shared;
    } catch (error) {
      const told = stop.aborted ? aborted(error) : toShoalError(error);
      lending.unsubscribe();
      if (this.#lending === lending) {
        this.#lending = null;
        if (told.code === 'aborted') this.member.state.update({ sharing: null });
        else this.#show({ state: 'failed', error: told, progress: null });
      }
      throw told;
    } finally {
      off();
    }
  }

  async unshare({ force = false }: UnshareOptions = {}): Promise<void> {
    const lending = this.#lending;
    if (!lending) {
      // The reason of a failure was read.
      this.member.state.update({ sharing: null });
      return;
    }
    if (this.member.state.get().sharing?.state === 'preparing') {
      lending.control.abort();
      return;
    }
    if (force) lending.force.abort();
    this.#show({ state: 'draining' });
    try {
      await this.#drain(lending);
    } finally {
      if (this.#lending === lending) {
        this.#lending = null;
        this.member.state.update({ sharing: null });
      }
    }
  }

  /** Resolves when nobody new can find the slice; what runs is finished. Nothing happens when nothing is shared. */
  async pause(): Promise<void> {
    const lending = this.#lending;
    if (!lending) return;
    lending.paused = true;
    if (this.member.state.get().sharing?.state !== 'sharing') return;
    this.#show({ state: 'paused' });
    await lending.joined?.host.pause(lending.cid, lending.range);
  }

  async resume(): Promise<void> {
    const lending = this.#lending;
    if (!lending) return;
    lending.paused = false;
    if (this.member.state.get().sharing?.state !== 'paused') return;
    this.#show({ state: 'sharing' });
    lending.joined?.host.resume(lending.cid, lending.range);
  }

  /** @throws ShoalError `bad-request`, and nothing is changed */
  limit(limits: ShareLimits): void {
    const lending = this.#lending;
    const checked = checkLimits(limits, lending?.limits);
    if (!lending) return;
    lending.limits = checked;
    this.#show({ power: checked.power });
  }

  /** Brings the counters up to date. */
  recount(): void {
    const lending = this.#lending;
    if (lending?.joined) this.#count(lending, lending.joined.host.status());
  }

  /** Ends a share that is being prepared; what is lent already ends with the host. */
  stop(): void {
    this.#lending?.control.abort();
  }

  async #prepare(
    lending: Lending,
    layers: ShareOptions['layers'],
    choose: (signal: AbortSignal) => Promise<ModelEntry>,
    signal: AbortSignal,
  ): Promise<void> {
    const step = (detail: string) => this.#show({ progress: { detail, done: 0, total: 0 } });
    step('Looking for the model');
    const entry = await choose(signal);
    this.#show({ cid: entry.cid, model: entry.name });
    const manifest = await this.library.manifest(entry, signal);
    const asked = layers === undefined ? null : checkLayers(layers, manifest);
    step('Joining the network');
    const joined = await this.member.join(signal);
    lending.joined = joined;
    let range = asked;
    if (!range) {
      step('Looking for the layers that are needed most');
      const { coverage } = await survey(joined, [entry], { signal });
      range = chooseLayers(manifest, coverage[0] ?? null, lending.limits.memory, Math.random);
    }
    lending.range = range;
    lending.cid = entry.cid;
    this.#show({ ...range });
    const slice = this.#lentSlice(entry, manifest, lending);
    const unsubscribe = joined.host.subscribe((status) => this.#count(lending, status));
    // A host tells of sessions that come and go, not of each position.
    const ticking = setInterval(() => this.recount(), COUNT_MS);
    lending.unsubscribe = () => {
      unsubscribe();
      clearInterval(ticking);
    };
    await abortable(joined.host.lend(slice, { signal }), signal);
    this.#show({ state: 'sharing', progress: null });
    this.#count(lending, joined.host.status());
    if (lending.paused) await this.pause();
  }

  #lentSlice(entry: ModelEntry, manifest: Manifest, lending: Lending): LentSlice {
    const { start, end } = lending.range;
    return {
      cid: entry.cid,
      layers: manifest.config.layers,
      start,
      end,
      main: mainPart(lending.range),
      get memoryBudget() {
        return lending.limits.memory;
      },
      get power() {
        return POWER[lending.limits.power];
      },
      onMemory: (memoryBytes) => {
        if (this.#lending === lending) this.#show({ memoryBytes });
      },
      load: (part, { measure, signal }) =>
        this.#load(entry, part, lending, { measure, signal, memory: lending.limits.memory }),
    };
  }

  async #load(entry: ModelEntry, part: Part, lending: Lending, options: Omit<PartOptions, 'report'>) {
    const engine = await this.loadPart(entry, part, {
      ...options,
      // Parts that are asked for later load behind a slice that is shared already.
      report: (progress) => {
        if (this.member.state.get().sharing?.state === 'preparing') this.#show({ progress });
      },
    });
    return watchLost(engine, (reason) => void this.#lost(lending, reason));
  }

  /** A GPU that went away takes every session along: clients are told at once, and the person why it is over. */
  async #lost(lending: Lending, reason: string): Promise<void> {
    if (this.#lending !== lending) return;
    this.recount();
    this.#lending = null;
    const error = new ShoalError(
      'no-engine',
      `The GPU was lost (${reason}), so nothing is shared now. Share again to go on; reload if it fails.`,
    );
    this.#show({ state: 'failed', error, progress: null });
    lending.force.abort();
    // The engine is gone; what cannot be ended in order has ended by itself.
    await this.#drain(lending).catch(() => {});
  }

  /** Once, whoever asks. */
  #drain(lending: Lending): Promise<void> {
    const { joined, cid, range, force } = lending;
    lending.draining ??= (async () => {
      try {
        await joined?.host.drain(cid, range, { signal: force.signal });
      } catch (error) {
        // Ending at once is what was asked for.
        if (!force.signal.aborted) throw toShoalError(error);
      } finally {
        lending.unsubscribe();
      }
    })();
    return lending.draining;
  }

  #count(lending: Lending, status: HostStatus): void {
    if (this.#lending !== lending) return;
    const change = countsOf(status, { ...lending.range, cid: lending.cid }, this.member.state.get().sharing);
    if (change) this.#show(change);
  }

  #show(change: Partial<Sharing>): void {
    const sharing = this.member.state.get().sharing ?? NOTHING;
    this.member.state.update({ sharing: { ...sharing, ...change } });
  }
}

/** What most clients ask for: they run the first layers themselves. */
export function mainPart({ start, end }: LayerRange): Part {
  const from = start < FRONT_LAYERS && end > FRONT_LAYERS ? FRONT_LAYERS : start;
  return { start: from, end, embed: false, head: false };
}
