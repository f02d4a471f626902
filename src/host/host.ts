import { decodeMessage, type Message, PROTOCOL_VERSION } from '../wire/index.ts';
import { newCounters, Served } from './counters.ts';
import { answerTo } from './greeting.ts';
import { layersInWords } from './layer-words.ts';
import { checkSlice, Lending } from './lending.ts';
import { Mailer } from './mailer.ts';
import { Sessions } from './sessions.ts';
import {
  HOST_LIMITS,
  type Host,
  HostError,
  type HostLimits,
  type HostOptions,
  type HostStatus,
  type LentSlice,
} from './types.ts';

/** While draining, a session on which nothing happened for that long is between two turns: it is ended. */
const QUIET_MS = 5_000;
/** How often a drain looks for such sessions. */
const DRAIN_LOOK_MS = 500;
/** Slices lent at once: an offer of each goes into every hello. */
const MAX_SLICES = 64;

/** Starts to answer hello and session messages that come over the transport. */
export function createHost(options: HostOptions): Host {
  return new SliceHost(options);
}

/** Puts the parts together: what is lent, and whose message goes where. */
class SliceHost implements Host {
  /** Loaded slices. */
  readonly #lendings = new Map<string, Lending>();
  readonly #loading = new Set<string>();
  readonly #draining = new Map<Lending, Promise<void>>();
  /** Fire when the pause is over. */
  readonly #paused = new Map<Lending, AbortController>();
  /** Whether others could open sessions when time was counted last. */
  #open = false;
  #countedAt = 0;
  readonly #counters = newCounters();
  readonly #served = new Served(this.#counters);
  readonly #limits: HostLimits;
  readonly #mailer: Mailer;
  readonly #sessions: Sessions;
  readonly #listeners = new Set<(status: HostStatus) => void>();
  readonly #unlisten: () => void;
  readonly #closed = new AbortController();

  constructor(private readonly options: HostOptions) {
    const { transport, clock, agent } = options;
    this.#limits = { ...HOST_LIMITS, ...options.limits };
    this.#mailer = new Mailer(transport, clock, this.#counters);
    this.#sessions = new Sessions({
      transport,
      clock,
      agent,
      limits: this.#limits,
      counters: this.#counters,
      served: this.#served,
      mailer: this.#mailer,
      lendings: { [Symbol.iterator]: () => this.#lendings.values() },
      onChange: () => this.#changed(),
    });
    this.#unlisten = transport.listen({
      frame: (from, bytes) => this.#receive(from, bytes),
      gone: (peer, reason) => this.#sessions.gone(peer, reason),
    });
  }

  async lend(slice: LentSlice, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const stop = AbortSignal.any(signal ? [signal, this.#closed.signal] : [this.#closed.signal]);
    this.#checkNotStopped(stop);
    checkSlice(slice);
    const key = keyOf(slice.cid, slice);
    if (this.#lendings.has(key) || this.#loading.has(key))
      throw new HostError('already-lent', `This host lends ${layersInWords(slice)} already.`);
    if (this.#lendings.size + this.#loading.size >= MAX_SLICES)
      throw new HostError('already-lent', `${MAX_SLICES} slices are lent; end one first.`);
    const { clock, directory, sample } = this.options;
    const lending: Lending = new Lending(slice, {
      clock,
      directory,
      sample,
      counters: this.#counters,
      served: this.#served,
      announceMs: this.#limits.announceMs,
      onChange: () => this.#changed(),
      onFailed: (session, code, reason) => this.#sessions.fail(session, code, reason),
      onLost: (reason) => this.#lost(lending, reason),
    });
    this.#loading.add(key);
    try {
      await lending.load(stop);
      if (stop.aborted) await lending.dispose();
      this.#checkNotStopped(stop);
      this.#lendings.set(key, lending);
    } finally {
      this.#loading.delete(key);
    }
    this.#changed();
    await this.#published(lending, stop);
  }

  async drain(
    cid: string,
    range: { start: number; end: number },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const reason = 'This peer is leaving; the layers have to come from another.';
    await this.#drain(this.#lent(cid, range), reason, signal);
  }

  async pause(cid: string, range: { start: number; end: number }): Promise<void> {
    const lending = this.#lent(cid, range);
    if (lending.state !== 'announcing') return;
    lending.state = 'paused';
    const resumed = new AbortController();
    this.#paused.set(lending, resumed);
    this.#changed();
    void this.#finished(lending, 'This peer pauses; the layers have to come from another.', resumed.signal);
    await lending.hide();
  }

  resume(cid: string, range: { start: number; end: number }): void {
    const lending = this.#lent(cid, range);
    if (lending.state !== 'paused') return;
    lending.state = 'announcing';
    this.#paused.get(lending)?.abort();
    this.#paused.delete(lending);
    lending.announceAgain();
    this.#changed();
  }

  status(): HostStatus {
    this.#countTime();
    const slices = [...this.#lendings.values()].map((lending) =>
      lending.hosted(this.#sessions.count(lending)),
    );
    const { size: sessions, serving } = this.#sessions;
    return { slices, sessions, serving, counters: { ...this.#counters } };
  }

  subscribe(listener: (status: HostStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(reason: string): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#unlisten();
    const atOnce = AbortSignal.abort();
    await Promise.all([...this.#lendings.values()].map((lending) => this.#drain(lending, reason, atOnce)));
    await this.#mailer.idle();
    this.#listeners.clear();
  }

  #receive(from: string, bytes: Uint8Array): void {
    this.#counters.bytesIn += bytes.length;
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      // Nobody cuts off oneself: what is wrong with it is told by tests, not by a dead loopback.
      if (from === this.options.transport.self) return;
      this.#counters.cutOff++;
      const why = error instanceof Error ? error.message : 'no reason known';
      this.options.transport.cutOff(from, `It sent what is no message: ${why}`);
      return;
    }
    this.#dispatch(from, message);
  }

  /** Answers to clients (`session_ack`, `token`, a hello or heartbeat that asks nothing) are for `chain/`. */
  #dispatch(from: string, message: Message): void {
    if (message.kind === 'hello' && message.proto_ver !== PROTOCOL_VERSION)
      this.options.onOtherVersion?.(from);
    if (message.kind === 'forward_hidden') this.#sessions.forward(from, message);
    else if (message.kind === 'session_init') this.#sessions.init(from, message);
    else if (message.kind === 'heartbeat') this.#sessions.heartbeat(from, message);
    else if (message.kind === 'abort_session') this.#sessions.abort(from, message);
    else if (message.kind === 'hello' && message.ask) {
      const { transport, agent } = this.options;
      const offers = [...this.#lendings.values()]
        .filter((lending) => lending.serves(from, transport.self))
        .map((lending) => lending.offer(this.#sessions.count(lending)));
      this.#mailer.post(
        { peer: from, addrs: [] },
        answerTo(
          message,
          { publicKey: transport.publicKey, agent },
          { offers, links: () => transport.links() },
        ),
      );
    }
  }

  /** Resolves when the record is published; until then it is tried, and the slice serves whoever asks already. */
  async #published(lending: Lending, stop: AbortSignal): Promise<void> {
    const leave = () => void this.#drain(lending, 'This peer lends nothing any more.', AbortSignal.abort());
    stop.addEventListener('abort', leave, { once: true });
    const published = await lending.announce();
    stop.removeEventListener('abort', leave);
    if (published) return;
    await this.#draining.get(lending);
    throw new HostError('aborted', 'Stopped before the slice was announced.');
  }

  /** The engine went away under the sessions: they end now, and whoever started the host may lend again. */
  #lost(lending: Lending, reason: string): void {
    const serves = lending.state === 'announcing' || lending.state === 'paused';
    if (serves) void this.#drain(lending, reason, AbortSignal.abort());
  }

  /** @param signal ends what still runs at once */
  #drain(lending: Lending, reason: string, signal?: AbortSignal): Promise<void> {
    // A second call only makes it faster.
    const force = () => this.#sessions.endAll(lending, 'stopped', reason);
    if (signal?.aborted) force();
    else signal?.addEventListener('abort', force, { once: true });
    const draining =
      this.#draining.get(lending) ??
      this.#leave(lending, reason).finally(() => {
        this.#draining.delete(lending);
      });
    this.#draining.set(lending, draining);
    return draining.finally(() => signal?.removeEventListener('abort', force));
  }

  async #leave(lending: Lending, reason: string): Promise<void> {
    lending.state = 'draining';
    this.#paused.get(lending)?.abort();
    this.#paused.delete(lending);
    this.#changed();
    const withdrawn = lending.withdraw();
    await this.#finished(lending, reason);
    await this.#sessions.freed(lending);
    lending.state = 'stopped';
    this.#changed();
    await withdrawn;
    await lending.dispose();
    this.#lendings.delete(keyOf(lending.slice.cid, lending.slice));
    this.#changed();
  }

  /** Resolves when the last session of the slice has ended, by itself or not, or when the signal fires. */
  #finished(lending: Lending, reason: string, signal?: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const deadline = clock.now() + this.#limits.drainMs;
    return new Promise((resolve) => {
      let cancel = () => {};
      const done = () => {
        if (this.#sessions.count(lending) > 0 && !signal?.aborted) return false;
        cancel();
        this.#watchers.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
        return true;
      };
      const look = () => {
        const late = clock.now() >= deadline;
        this.#sessions.endAll(lending, 'stopped', reason, late ? 0 : QUIET_MS);
        if (!done()) cancel = clock.after(DRAIN_LOOK_MS, look);
      };
      this.#watchers.add(done);
      signal?.addEventListener('abort', done, { once: true });
      look();
    });
  }

  /** Looked at after each change. */
  readonly #watchers = new Set<() => void>();

  #changed(): void {
    this.#countTime();
    for (const watcher of [...this.#watchers]) watcher();
    if (this.#listeners.size === 0) return;
    const status = this.status();
    for (const listener of [...this.#listeners]) listener(status);
  }

  /** Adds the time since it was called last, which is at each change. */
  #countTime(): void {
    const now = this.options.clock.now();
    if (this.#open) this.#counters.lentMs += now - this.#countedAt;
    this.#countedAt = now;
    this.#open = [...this.#lendings.values()].some(
      ({ state, slice }) => state === 'announcing' && !slice.ownUse,
    );
  }

  /** @throws HostError `no-slice` */
  #lent(cid: string, range: { start: number; end: number }): Lending {
    const lending = this.#lendings.get(keyOf(cid, range));
    if (lending) return lending;
    throw new HostError('no-slice', `This host does not lend ${layersInWords(range)} of this model.`);
  }

  #checkNotStopped(signal: AbortSignal): void {
    if (this.#closed.signal.aborted) throw new HostError('closed', 'This host is closed; make a new one.');
    if (signal.aborted) throw new HostError('aborted', 'Stopped before the slice was announced.');
  }
}

function keyOf(cid: string, { start, end }: { start: number; end: number }): string {
  return `${start}-${end} ${cid}`;
}
