import type { RelaySource } from '../../swarm/index.ts';
import { toShoalError } from '../errors.ts';
import { NO_NETWORK } from '../idle-state.ts';
import type { Library } from '../library.ts';
import type { Cell } from '../observable.ts';
import type { CheckedParameters } from '../parameters.ts';
import type { Platform } from '../platform.ts';
import type { ChatCompletionChunk, ModelEntry, Observable, ShoalOptions } from '../types.ts';
import { ClientModels } from './client-model.ts';
import { watchMap } from './map.ts';
import { type Joined, Member } from './member.ts';
import { OwnSlices } from './own-slice.ts';
import { partLoader } from './part-loader.ts';
import { NetworkRoute } from './route.ts';
import { Sharer } from './share.ts';
import { type Survey, survey } from './survey.ts';
import type {
  Membership,
  NetworkMap,
  NetworkSnapshot,
  ShareLimits,
  ShareOptions,
  Sharing,
  UnshareOptions,
} from './types.ts';
import { Watch } from './watch.ts';

/** Milliseconds between looks at the network while somebody watches: below what a person waits for. */
const LOOK_AGAIN_MS = 3_000;
/** Milliseconds that one look may take. */
const LOOK_MS = 12_000;

const NOTHING_SEEN: Survey = { peers: [], coverage: [], linksOfOthers: [] };

/** Chooses a model: the one named, else the one that is loaded, else the relay's first. */
export type ChooseModel = (model: string | null, signal: AbortSignal) => Promise<ModelEntry>;

/** What the sdk does over the network, behind one door: share, look, answer. */
export class Network {
  readonly #member: Member;
  readonly #sharer: Sharer;
  readonly #route: NetworkRoute;
  readonly watch: Watch<NetworkSnapshot>;
  readonly map: Observable<NetworkMap>;

  constructor(
    platform: Platform,
    private readonly library: Library,
    private readonly choose: ChooseModel,
    relays: readonly RelaySource[],
    options: ShoalOptions,
  ) {
    const { network = true, iceServers = [], wire = 'fp32' } = options;
    this.#member = new Member(platform, { relays, iceServers, enabled: network });
    const loadPart = partLoader(platform, library, options);
    this.#sharer = new Sharer(library, this.#member, loadPart);
    const models = new ClientModels(platform, library, options, (preparing) =>
      this.#member.state.update({ preparing }),
    );
    this.#route = new NetworkRoute(platform, this.#member, models, new OwnSlices(loadPart), wire);
    this.watch = new Watch(NO_NETWORK, (signal) => this.#look(signal), LOOK_AGAIN_MS);
    this.map = watchMap(platform, library.relay, this.watch);
  }

  get enabled(): boolean {
    return this.#member.enabled;
  }

  get membership(): Cell<Membership> {
    return this.#member.state;
  }

  async join(signal?: AbortSignal): Promise<void> {
    await this.#member.join(signal);
  }

  share(options: ShareOptions): Promise<Sharing> {
    return this.#sharer.share(options, (signal) => this.choose(options.model ?? null, signal));
  }

  unshare(options: UnshareOptions): Promise<void> {
    return this.#sharer.unshare(options);
  }

  pauseSharing(): Promise<void> {
    return this.#sharer.pause();
  }

  resumeSharing(): Promise<void> {
    return this.#sharer.resume();
  }

  limitSharing(limits: ShareLimits): void {
    this.#sharer.limit(limits);
  }

  async look(signal?: AbortSignal): Promise<NetworkSnapshot> {
    const joined = await this.#member.join(signal);
    const snapshot = await this.#survey(joined, signal);
    this.watch.set(snapshot);
    return snapshot;
  }

  answer(parameters: CheckedParameters, reason: string | null): AsyncGenerator<ChatCompletionChunk> {
    return this.#route.answer(parameters, (signal) => this.choose(parameters.model, signal), reason);
  }

  async dispose(reason: string): Promise<void> {
    this.watch.stop();
    this.#sharer.stop();
    await this.#route.dispose();
    await this.#member.leave(reason);
  }

  /** As `look`, for those who watch: an error is part of what they see. */
  async #look(signal: AbortSignal): Promise<NetworkSnapshot> {
    try {
      return await this.#survey(await this.#member.join(signal), signal);
    } catch (error) {
      return { ...this.#snapshot(NOTHING_SEEN), error: toShoalError(error) };
    }
  }

  async #survey(joined: Joined, signal?: AbortSignal): Promise<NetworkSnapshot> {
    const late = AbortSignal.timeout(LOOK_MS);
    const stop = signal ? AbortSignal.any([signal, late]) : late;
    // Without the relay the models are those it listed last, or none.
    const models = await this.library.list(stop).catch(() => []);
    return this.#snapshot(await survey(joined, models, { signal: stop, links: true }), joined);
  }

  #snapshot({ peers, coverage, linksOfOthers }: Survey, joined?: Joined): NetworkSnapshot {
    this.#sharer.recount();
    const { state, relay, peer, addresses, sharing, error } = this.#member.state.get();
    return {
      state,
      relay,
      self: peer === null ? null : { peer, addresses, sharing },
      peers,
      links: joined?.swarm.transport.links().map((link) => ({ ...link })) ?? [],
      linksOfOthers,
      relays: joined?.swarm.status().relays.flatMap((known) => known.peer || []) ?? [],
      coverage,
      sessionsServed: joined?.host.status().counters.opened ?? 0,
      error,
    };
  }
}
