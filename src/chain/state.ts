import type { TokenLogprobs } from '../host/index.ts';
import type { Clock } from '../swarm/index.ts';
import type {
  AbortCode,
  Heartbeat,
  Hex32,
  Message,
  PeerAddress,
  SamplingState,
  SessionAck,
} from '../wire/index.ts';
import type { Control } from './control.ts';
import type { Finder } from './find.ts';
import { type Hop, type InitRoute, initMessage, Route, type SessionFacts } from './route.ts';
import { RowLog } from './row-log.ts';
import { ChainError, type ChainEvent, type ChainLimits, type ChainOptions } from './types.ts';
import { abortable, Bell, within } from './wait.ts';

/** Times in a row that a link is made anew before the hop at its end is replaced. */
const MOST_NUDGES = 2;

/** Pairs remembered: more than one conversation ever meets. */
const MOST_APART = 256;

/** What one forward call waits for: the answer to its last position. */
export interface Step {
  /** Positions `[start, end)`. */
  start: number;
  end: number;
  sampling: SamplingState | undefined;
  answer(result: Answer): void;
  progress(done: number): void;
}

/** A row of the last layer's output, or the token that the tail drew from it. */
export type Answer =
  | { row: Float32Array; token?: undefined; logprobs?: undefined }
  | { row?: undefined; token: number; logprobs?: TokenLogprobs };

/** Whether a lost peer may be taken again: at once, after it answered anew and nobody else can, or never. */
export type Trust = 'again' | 'asked' | 'never';

/** The client's end of link 0: where in the log it is. A new one is made at each change of that link. */
export class Sender {
  readonly stop = new AbortController();
  constructor(
    /** Next position to send. */
    public cursor: number,
    /** The first hop sends on only outputs from here on. */
    readonly deliverFrom: number,
  ) {}
}

/** What all sessions of a chain have in common. */
export interface ChainContext {
  readonly control: Control;
  readonly finder: Finder;
  /** Taken only where nobody else can be. */
  readonly standIn: ReadonlySet<string>;
  readonly clock: Clock;
  readonly limits: ChainLimits;
  readonly options: ChainOptions;
  /** Layers that the hops cover, and what the first and the last do besides. */
  readonly span: { start: number; end: number; embed: boolean; head: boolean };
  readonly layers: number;
  readonly maxTokens: number;
  /** Messages under way for which nobody waits: at most a few per hop and turn, each with its deadline. */
  readonly posts: Set<Promise<void>>;
  emit(event: ChainEvent): void;
}

interface Waiting<T> {
  epoch: number;
  resolve(message: T): void;
  reject(error: Error): void;
}

/** Everything that a session knows about itself; `drive.ts`, `mend.ts` and `session.ts` work on it. */
export class SessionState {
  readonly route = new Route();
  readonly log: RowLog;
  /** Rung whenever something changed that a loop may wait for. */
  readonly bell = new Bell();
  /** Ends with the session. */
  readonly life = new AbortController();
  generation = 0;
  /** Positions that stayed when this generation began. */
  cut = 0;
  /** Positions of finished forward calls. */
  committed = 0;
  /** Positions that the tail holds, as far as it said. */
  acked = 0;
  sender = new Sender(0, 0);
  step: Step | null = null;
  seq = 0;
  /** Clock time at which something came through last. */
  progressAt = 0;
  /** Peers that are not taken (any more) in this session. */
  readonly excluded = new Map<string, Exclude<Trust, 'again'>>();
  /** Ranges that this peer was asked to run itself. */
  readonly triedLocally = new Set<string>();
  /** Who was lost last, and why: for error messages. */
  lastLoss: string | null = null;
  /** Some peer had no room for this session. */
  refused = false;
  /** The chain was whole once: what is lost from now on is replaced with patience. */
  wasOpen = false;
  /** Pairs of peers, `from to`, of which the first cannot reach the second. */
  readonly apart = new Set<string>();
  /** Hops lost in this turn, and mended in all. */
  turnLosses = 0;
  recoveries = 0;
  /** Set from the loss of a hop until something comes through again. */
  recovering: { since: number; lost: number; replayed: number } | null = null;
  /** Links that were made anew and through which nothing has come yet: replayed rows may still be on their way. */
  unproven: { links: Set<Route['links'][number]>; above: number } | null = null;
  /** The hop that was behind at the last deadline. */
  stalled: { peer: string; length: number } | null = null;
  readonly #acks = new Map<string, Waiting<SessionAck>>();
  readonly #asks = new Map<string, Waiting<Heartbeat>>();

  constructor(
    readonly id: Hex32,
    readonly context: ChainContext,
    width: number,
  ) {
    this.log = new RowLog(width, context.maxTokens);
  }

  /** Position of the next row that the client is to get. */
  get awaited(): number {
    return this.step ? this.step.end - 1 : this.committed;
  }

  get self(): PeerAddress {
    const { transport } = this.context.control;
    return { peer: transport.self, addrs: transport.addresses() };
  }

  get facts(): SessionFacts {
    const { options, maxTokens } = this.context;
    return {
      sessionId: this.id,
      cid: options.cid,
      maxTokens,
      generation: this.generation,
      cut: this.cut,
      sampling: this.step?.sampling,
      dtype: options.dtype,
    };
  }

  /** Positions that a hop of that generation and length will hold once it knows of the newest one. */
  lengthNow(generation: number | undefined, length: number | undefined): number {
    const told = length ?? 0;
    return (generation ?? 0) < this.generation ? Math.min(told, this.cut) : told;
  }

  /** A hop has to be replaced. Does not throw and does not wait. */
  lose(hop: Hop, reason: string, trust: Trust): void {
    if (hop.lost !== null || this.route.indexOf(hop) < 0) return;
    hop.lost = reason;
    this.lastLoss = `${hop.peer}: ${reason}`;
    hop.suspect = false;
    if (trust !== 'again' && this.excluded.get(hop.peer) !== 'never') this.excluded.set(hop.peer, trust);
    this.context.finder.forget(hop.peer);
    if (this.route.hops[0] === hop) this.sender.stop.abort();
    if (hop.opened && this.wasOpen) {
      const now = this.context.clock.now();
      this.turnLosses++;
      this.recovering ??= { since: now, lost: 0, replayed: 0 };
      this.recovering.lost++;
      this.context.emit({ type: 'lost', peer: hop.peer, start: hop.start, end: hop.end, reason });
    }
    const error = new ChainError('unreachable', `${hop.peer}: ${reason}`);
    this.#acks.get(hop.peer)?.reject(error);
    this.#asks.get(hop.peer)?.reject(error);
    this.bell.ring();
  }

  /** The way into hop `i` (the client, behind the last) has to be made anew; too often in vain, and its end is lost. */
  nudge(i: number, reason: string, unreachable = false): void {
    const link = this.route.links[i];
    if (!link || link.broken) return;
    const end = this.route.hops[i] ?? this.route.tail;
    if (link.nudges >= MOST_NUDGES && end) {
      if (unreachable) this.#keepApart(i);
      this.lose(end, reason, 'asked');
      return;
    }
    link.nudges++;
    link.broken = true;
    if (i === 0) this.sender.stop.abort();
    this.bell.ring();
  }

  /** The two ends of link `i` live and cannot reach each other: a plan puts others between them, if there are any. */
  #keepApart(i: number): void {
    if (this.apart.size >= MOST_APART) this.apart.clear();
    const { hops } = this.route;
    this.apart.add(`${hops[i - 1]?.peer ?? this.self.peer} ${hops[i]?.peer ?? this.self.peer}`);
  }

  /**
   * Opens the session at a hop or changes its route there.
   * @throws ChainError `unreachable`, `deadline`, `aborted`; TransportError
   */
  init(hop: Hop, route: InitRoute, ms: number, signal: AbortSignal): Promise<SessionAck> {
    const late = `${hop.peer} does not answer.`;
    return this.#request(this.#acks, hop, initMessage(this.facts, hop, route), route.epoch, ms, signal, late);
  }

  /** Asks a hop how far it is. @throws as `init` */
  ask(hop: Hop, signal: AbortSignal): Promise<Heartbeat> {
    const message: Message = {
      kind: 'heartbeat',
      session_id: this.id,
      last_seq: this.seq,
      health: 0,
      ask: true,
      generation: this.generation,
    };
    const late = `${hop.peer} does not answer any more.`;
    return this.#request(this.#asks, hop, message, 0, this.patienceMs, signal, late);
  }

  /** Milliseconds in which a peer that lives has answered a question that costs it nothing. */
  get patienceMs(): number {
    return 2 * this.context.limits.probeMs;
  }

  acknowledged(from: string, message: SessionAck): void {
    const waiting = this.#acks.get(from);
    if (waiting && waiting.epoch === message.epoch) waiting.resolve(message);
  }

  answered(from: string, message: Heartbeat): void {
    this.#asks.get(from)?.resolve(message);
  }

  /** Tells a peer that the session is over there. Nothing is answered. */
  release(hop: Hop, code: AbortCode): void {
    const { id, generation } = this;
    this.post(hop.address, { kind: 'abort_session', session_id: id, reason: code, code, generation });
  }

  /** Sends without waiting; what cannot be sent soon is dropped. */
  post(to: PeerAddress, message: Message): void {
    const { control, clock } = this.context;
    const send = (until: AbortSignal) => control.send(to, message, until);
    const sent = within(clock, this.patienceMs, new AbortController().signal, '', send)
      // The peer is gone, then; or it hears of it by a later message.
      .catch(() => undefined)
      .finally(() => this.context.posts.delete(sent));
    this.context.posts.add(sent);
  }

  async #request<T extends SessionAck | Heartbeat>(
    table: Map<string, Waiting<T>>,
    hop: Hop,
    message: Message,
    epoch: number,
    ms: number,
    signal: AbortSignal,
    late: string,
  ): Promise<T> {
    const { control, clock } = this.context;
    let entry: Waiting<T> | undefined;
    try {
      return await within(clock, ms, signal, late, async (until) => {
        const answer = new Promise<T>((resolve, reject) => {
          entry = { epoch, resolve, reject };
          table.set(hop.peer, entry);
        });
        // When sending fails nobody listens to it.
        answer.catch(() => undefined);
        await control.send(hop.address, message, until);
        return abortable(answer, until);
      });
    } finally {
      if (table.get(hop.peer) === entry) table.delete(hop.peer);
    }
  }
}
