import { EngineError } from '../engine/index.ts';
import type { Clock, Transport } from '../swarm/index.ts';
import type { AbortCode, AbortSession, ForwardHidden, Heartbeat, SessionInit } from '../wire/index.ts';
import { type Admission, admit } from './admission.ts';
import type { Served } from './counters.ts';
import { greeting } from './greeting.ts';
import { layersInWords } from './layer-words.ts';
import type { Lending, Runner } from './lending.ts';
import type { Mailer } from './mailer.ts';
import { Outlet } from './outlet.ts';
import { Session } from './session.ts';
import type { HostCounters, HostLimits } from './types.ts';

/** IntelNav's key of a session; nobody uses it. */
const NO_KEY = new Uint8Array(32);

interface Entry {
  session: Session;
  lending: Lending;
  /** Memory that is reserved for the cache. */
  bytes: number;
  /** Ends the opening. */
  stop: AbortController;
  opening: Promise<void>;
  runner: Runner | null;
  cancelIdle: () => void;
}

export interface SessionsOptions {
  transport: Transport;
  clock: Clock;
  agent: string;
  limits: HostLimits;
  counters: HostCounters;
  served: Served;
  mailer: Mailer;
  lendings: Iterable<Lending>;
  onChange(): void;
}

/** The sessions of a host, from `session_init` to their end, and what their clients may ask. */
export class Sessions {
  readonly #entries = new Map<string, Entry>();
  /** Caches that are being freed. */
  readonly #closing = new Map<Lending, Set<Promise<void>>>();

  constructor(private readonly options: SessionsOptions) {}

  get size(): number {
    return this.#entries.size;
  }

  count(lending: Lending): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.lending === lending) count++;
    return count;
  }

  /** Sessions that others opened. */
  get serving(): number {
    let count = 0;
    for (const { session } of this.#entries.values()) if (!session.own) count++;
    return count;
  }

  init(from: string, message: SessionInit): void {
    const known = this.#entries.get(message.session_id);
    if (!known) {
      this.#open(from, message);
      return;
    }
    const { session } = known;
    const { start, end } = message.layer_range;
    if (session.owner !== from || start !== session.part.start || end !== session.part.end) {
      this.#refuse(from, message.session_id, {
        code: 'failed',
        reason: `This session is open here with ${layersInWords(session.part)}.`,
      });
      return;
    }
    session.lastActive = this.options.clock.now();
    session.reroute(message);
    // One that is still being opened is answered when it is.
    if (session.computing) this.#acknowledge(session);
  }

  forward(from: string, frame: ForwardHidden): void {
    const { counters, clock, transport } = this.options;
    const entry = this.#entries.get(frame.session_id);
    if (!entry) return;
    const { session } = entry;
    const verdict = session.accept(from, frame);
    if (verdict.type === 'dropped') {
      counters.droppedFrames++;
      return;
    }
    session.lastActive = clock.now();
    if (!session.own) counters.servedBytesIn += frame.payload.length;
    if (verdict.type === 'queued') entry.runner?.scheduler.wake();
    else if (verdict.type === 'gap') {
      counters.droppedFrames++;
      this.#report(session, 1);
    } else if ('reason' in verdict) {
      this.fail(session, 'bad-frame', verdict.reason);
      if (verdict.type === 'garbage' && from !== transport.self) {
        counters.cutOff++;
        transport.cutOff(from, verdict.reason);
      }
    }
  }

  heartbeat(from: string, { session_id: id, ask }: Heartbeat): void {
    if (!ask) return;
    const session = this.#entries.get(id)?.session;
    if (session?.owner === from) {
      session.lastActive = this.options.clock.now();
      this.#report(session, session.outlet.down ? 2 : 0);
    } else this.#tell(from, id, 'no-session', 'This session is not open here.');
  }

  abort(from: string, { session_id: id, keep, generation }: AbortSession): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.session.owner !== from) return;
    entry.session.lastActive = this.options.clock.now();
    if (keep) entry.session.stop(generation ?? entry.session.generation);
    else this.#end(entry);
  }

  /** The transport lost a peer. */
  gone(peer: string, reason: string): void {
    for (const entry of [...this.#entries.values()])
      if (entry.session.owner === peer) this.#end(entry);
      else entry.session.outlet.gone(peer, reason);
  }

  /** Ends a session by an error that its client is told. */
  fail(session: Session, code: AbortCode, reason: string): void {
    const entry = this.#entries.get(session.id);
    if (entry?.session !== session) return;
    this.options.counters.failed++;
    this.#end(entry);
    this.#tell(session.owner, session.id, code, reason);
  }

  /** Ends sessions of a slice and tells their clients. @param quietMs only those that are idle for that long */
  endAll(lending: Lending, code: AbortCode, reason: string, quietMs = 0): void {
    for (const entry of [...this.#entries.values()]) {
      const { session } = entry;
      if (entry.lending !== lending) continue;
      const quiet = !session.busy && this.options.clock.now() - session.lastActive >= quietMs;
      if (quietMs > 0 && !quiet) continue;
      this.#end(entry);
      this.#tell(session.owner, session.id, code, reason);
    }
  }

  /** Resolves when the caches of all ended sessions of a slice are freed. */
  async freed(lending: Lending): Promise<void> {
    await Promise.all(this.#closing.get(lending) ?? []);
  }

  #open(from: string, message: SessionInit): void {
    const { limits, transport } = this.options;
    const lendings = [...this.options.lendings].filter((one) => one.serves(from, transport.self));
    let own = 0;
    for (const { session } of this.#entries.values()) if (session.owner === from) own++;
    const self = from === transport.self;
    const admission = admit(message, lendings, { all: this.#entries.size, own, self }, limits);
    if ('code' in admission) {
      this.#refuse(from, message.session_id, admission);
      return;
    }
    const { lending, bytes, init } = admission;
    const entry: Entry = {
      session: this.#session(from, admission),
      lending,
      bytes,
      stop: new AbortController(),
      opening: Promise.resolve(),
      runner: null,
      cancelIdle: () => undefined,
    };
    this.#entries.set(init.session_id, entry);
    this.#watchIdle(entry);
    this.#greetNext(entry.session);
    entry.opening = this.#load(entry, init.max_seq);
    this.options.onChange();
  }

  #session(owner: string, { lending, part, init }: Exclude<Admission, { code: AbortCode }>): Session {
    const { transport, counters, limits, clock } = this.options;
    const { width, vocabulary } = lending.info;
    const tail = part.end === lending.slice.layers;
    const own = owner === transport.self;
    const outlet = new Outlet({
      sessionId: init.session_id,
      transport,
      counters,
      own,
      width,
      maxRows: init.max_seq,
      dtype: init.dtype ?? 'fp32',
      kind: part.head ? 'tokens' : tail ? 'answers' : 'rows',
      route: { next: init.next, epoch: init.out_epoch ?? 0 },
      onDown: () => {
        if (this.#entries.get(init.session_id)?.session === session) this.#report(session, 2);
      },
    });
    const session = new Session({
      id: init.session_id,
      owner,
      own,
      part,
      maxTokens: init.max_seq,
      width,
      vocabulary,
      queueBytes: limits.queueBytes,
      outlet,
      init,
    });
    session.lastActive = clock.now();
    return session;
  }

  /** Opens the link to the next hop while the engines open the session: the first frame must not wait for a dial. */
  #greetNext(session: Session): void {
    const { transport, mailer, agent } = this.options;
    const { next } = session.outlet.route;
    if (next.peer === transport.self || transport.link(next.peer)) return;
    const hello = greeting({ publicKey: transport.publicKey, agent });
    void mailer.deliver(next, hello).then((delivered) => {
      if (!delivered) session.outlet.gone(next.peer, 'It cannot be reached from here.');
    });
  }

  async #load(entry: Entry, maxTokens: number): Promise<void> {
    const { session, lending, stop } = entry;
    try {
      entry.runner = await lending.open(session.part, stop.signal);
      const { pipeline, scheduler } = entry.runner;
      if (maxTokens > pipeline.maxTokens)
        throw new EngineError('out-of-memory', `a session holds ${pipeline.maxTokens} tokens here`);
      const computing = await pipeline.open(maxTokens);
      session.computing = computing;
      if (session.closed) return;
      session.lastActive = this.options.clock.now();
      scheduler.add(session);
      this.options.counters.opened++;
      if (!session.own) this.options.served.opened();
      this.#acknowledge(session);
      this.options.onChange();
    } catch (error) {
      if (session.closed) return;
      this.#end(entry);
      const full = error instanceof EngineError && error.code === 'out-of-memory';
      const reason = error instanceof Error ? error.message : 'The layers could not be loaded.';
      this.#refuse(session.owner, session.id, { code: full ? 'refused-full' : 'failed', reason });
    }
  }

  #end(entry: Entry): void {
    const { session, lending } = entry;
    this.#entries.delete(session.id);
    entry.cancelIdle();
    entry.stop.abort();
    session.close();
    entry.runner?.scheduler.remove(session);
    const closing = this.#closing.get(lending) ?? new Set();
    this.#closing.set(lending, closing);
    const freed = this.#free(entry).finally(() => {
      closing.delete(freed);
      if (closing.size === 0) this.#closing.delete(lending);
      // Whoever waits for room hears that it is there.
      this.options.onChange();
    });
    closing.add(freed);
    this.options.onChange();
  }

  async #free(entry: Entry): Promise<void> {
    const { session, lending, bytes } = entry;
    // The engines may be about to open it.
    await entry.opening;
    if (entry.runner && session.computing) await entry.runner.pipeline.close(session.computing);
    if (entry.runner) lending.release(session.part);
    lending.parts.free(bytes);
  }

  #watchIdle(entry: Entry): void {
    const { clock, limits } = this.options;
    const { session } = entry;
    const left = session.lastActive + limits.idleMs - clock.now();
    // At least one: what rounding leaves of a sum of fractions would never pass.
    entry.cancelIdle = clock.after(Math.max(1, left), () => {
      if (clock.now() - session.lastActive < limits.idleMs) {
        this.#watchIdle(entry);
        return;
      }
      this.#end(entry);
      this.#tell(session.owner, session.id, 'idle', 'Nothing came for too long; open the session anew.');
    });
  }

  #acknowledge(session: Session): void {
    this.options.mailer.post(
      { peer: session.owner, addrs: [] },
      {
        kind: 'session_ack',
        session_id: session.id,
        shard_x25519_pub: NO_KEY,
        epoch: session.epoch,
        generation: session.generation,
        length: session.length,
      },
    );
  }

  /** @param health 0 well, 1 frames are missing, 2 the next hop cannot be reached */
  #report(session: Session, health: 0 | 1 | 2): void {
    const { outlet, generation, length } = session;
    this.options.mailer.post(
      { peer: session.owner, addrs: [] },
      {
        kind: 'heartbeat',
        session_id: session.id,
        last_seq: outlet.lastSeq,
        health,
        epoch: outlet.route.epoch,
        generation,
        length,
      },
    );
  }

  #refuse(peer: string, id: string, { code, reason }: { code: AbortCode; reason: string }): void {
    this.options.counters.refused++;
    this.#tell(peer, id, code, reason);
  }

  #tell(peer: string, id: string, code: AbortCode, reason: string): void {
    this.options.mailer.post({ peer, addrs: [] }, { kind: 'abort_session', session_id: id, reason, code });
  }
}
