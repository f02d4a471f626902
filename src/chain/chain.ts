import { describeHops } from './describe.ts';
import { ChainPeers } from './peers.ts';
import { type Candidate, covers, type PlannedHop, type PlanRequest, planChain } from './plan.ts';
import { type ChainForwardOptions, type ChainForwardOutput, ChainSession } from './session.ts';
import type { ChainContext } from './state.ts';
import {
  CHAIN_LIMITS,
  ChainError,
  type ChainEvent,
  type ChainHop,
  type ChainOptions,
  type ChainStatus,
} from './types.ts';
import { throwIfAborted } from './wait.ts';

/** Sessions open at once in one chain. */
const MOST_SESSIONS = 64;

/** A model whose layers other peers run. Fits `chat/`'s TurnModel. */
export interface Chain {
  /** `chunkTokens`: a whole prompt may come in one call, for the chain cuts and overlaps it itself. */
  readonly info: { readonly maxTokens: number; readonly chunkTokens: number };
  /** @throws ChainError `no-cover`, `no-capacity`, `unreachable`, `deadline`, `aborted`; EngineError of own parts */
  open(options?: { signal?: AbortSignal }): Promise<number>;
  /** @throws ChainError; the session is as long as before then */
  forward(
    session: number,
    input: { tokens: ArrayLike<number> },
    options?: ChainForwardOptions,
  ): Promise<ChainForwardOutput>;
  truncate(session: number, length: number): Promise<void>;
  close(session: number): Promise<void>;
  /** Of one session, or of all that this chain ever had, with the hops of the newest. */
  status(session?: number): ChainStatus;
  /** Closes every session. Nothing is left running. */
  dispose(): Promise<void>;
}

/**
 * Finds peers for the layers that the client does not run itself and makes sure that they can be a chain. Sessions are
 * opened on them by `open`.
 * @throws ChainError `no-cover`, `no-capacity`, `unreachable`, `aborted`, `bad-input`
 */
export async function openChain(
  options: ChainOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<Chain> {
  throwIfAborted(signal);
  const span = spanOf(options);
  const { clock, manifest } = options;
  const { layers, contextLength } = manifest.config;
  const limits = { ...CHAIN_LIMITS, ...options.limits };
  const peers = options.peers ?? new ChainPeers({ ...options, layers });
  const { control, finder, standIn } = peers;
  try {
    const { front } = options.parts;
    const most = options.maxTokens ?? Math.min(contextLength, front?.info.maxTokens ?? contextLength);
    const asked = { range: span, layers, embed: span.embed, head: span.head, standIn };
    const enough = (candidates: Candidate[]) => covers({ ...asked, maxTokens: most, candidates });
    const request = { ...asked, candidates: await finder.find(span, signal, { enough }) };
    const { plan, maxTokens } = planWithin(
      { ...request, maxTokens: most, prefer: options.prefer },
      options.maxTokens !== undefined,
    );
    const emit = (event: ChainEvent) => options.onEvent?.(event);
    return new OpenChain(
      { control, finder, standIn, clock, limits, options, span, layers, maxTokens, posts: new Set(), emit },
      plan,
    );
  } catch (error) {
    if (!options.peers) peers.dispose();
    throw error;
  }
}

/** What others have to run, by the parts that the client has. */
function spanOf({ manifest, parts, privacy }: ChainOptions): ChainContext['span'] {
  const { front, head } = parts;
  const { layers } = manifest.config;
  if (privacy === 'private' && !(front && head)) {
    throw new ChainError(
      'bad-input',
      'In private mode the embedding and the head run here: load both parts, or choose light mode.',
    );
  }
  if (front && (!front.info.slice.embed || front.info.slice.start !== 0 || front.info.slice.head))
    throw new ChainError('bad-input', 'The front part must begin with the embedding and have no head.');
  if (head && (!head.info.slice.head || head.info.slice.start !== layers))
    throw new ChainError('bad-input', 'The head part must have the head and no layers.');
  const start = front?.info.slice.end ?? 0;
  if (start >= layers)
    throw new ChainError('bad-input', 'Every layer runs here already: use the engine, not a chain.');
  return { start, end: layers, embed: !front, head: !head };
}

/** Where nobody said how long a session must be, one that the peers have room for is better than none. */
function planWithin(request: PlanRequest, fixed: boolean): { plan: PlannedHop[]; maxTokens: number } {
  try {
    return { plan: planChain(request), maxTokens: request.maxTokens };
  } catch (error) {
    if (fixed || !(error instanceof ChainError) || error.code !== 'no-capacity') throw error;
    for (let maxTokens = request.maxTokens / 2; maxTokens >= SHORTEST; maxTokens /= 2) {
      try {
        return {
          plan: planChain({ ...request, maxTokens: Math.floor(maxTokens) }),
          maxTokens: Math.floor(maxTokens),
        };
      } catch {
        // Still too long for those who are there.
      }
    }
    throw error;
  }
}

/** Tokens of the shortest session worth opening: one question and its answer. */
const SHORTEST = 128;

class OpenChain implements Chain {
  readonly info: { readonly maxTokens: number; readonly chunkTokens: number };
  readonly #sessions = new Map<number, ChainSession>();
  readonly #opening = new AbortController();
  #next = 1;
  #closed = false;
  #hops: ChainHop[];
  /** Of sessions that are closed. */
  readonly #past = { recoveries: 0, computeMs: 0, wireMs: 0 };

  constructor(
    private readonly context: ChainContext,
    private readonly plan: readonly PlannedHop[],
  ) {
    this.info = { maxTokens: context.maxTokens, chunkTokens: context.maxTokens };
    this.#hops = describeHops(context, plan);
    context.emit({ type: 'planned', hops: this.#hops });
  }

  async open({ signal }: { signal?: AbortSignal } = {}): Promise<number> {
    this.#checkOpen();
    if (this.#sessions.size >= MOST_SESSIONS)
      throw new ChainError('no-capacity', `${MOST_SESSIONS} sessions are open already. Close one first.`);
    const either = signal ? AbortSignal.any([signal, this.#opening.signal]) : this.#opening.signal;
    const session = await ChainSession.open(this.context, this.#planNow(), either);
    if (this.#closed) {
      await session.close();
      this.#checkOpen();
    }
    const id = this.#next++;
    this.#sessions.set(id, session);
    const before = JSON.stringify(this.#hops.map(({ peer, start, end }) => [peer, start, end]));
    this.#hops = session.hops;
    const now = JSON.stringify(this.#hops.map(({ peer, start, end }) => [peer, start, end]));
    if (now !== before) this.context.emit({ type: 'planned', hops: this.#hops });
    return id;
  }

  async forward(
    session: number,
    { tokens }: { tokens: ArrayLike<number> },
    options: ChainForwardOptions = {},
  ): Promise<ChainForwardOutput> {
    return this.#find(session).forward(tokens, options);
  }

  async truncate(session: number, length: number): Promise<void> {
    return this.#find(session).truncate(length);
  }

  async close(session: number): Promise<void> {
    const found = this.#find(session);
    this.#sessions.delete(session);
    this.#past.recoveries += found.recoveries;
    this.#past.computeMs += found.computeMs;
    this.#past.wireMs += found.wireMs;
    this.#hops = found.hops;
    await found.close();
  }

  status(session?: number): ChainStatus {
    const findMs = this.context.finder.spentMs;
    if (session !== undefined) {
      const { hops, recoveries, computeMs, wireMs } = this.#find(session);
      return { hops, recoveries, computeMs, wireMs, findMs };
    }
    const sum = { ...this.#past };
    for (const one of this.#sessions.values()) {
      sum.recoveries += one.recoveries;
      sum.computeMs += one.computeMs;
      sum.wireMs += one.wireMs;
    }
    const newest = [...this.#sessions.values()].at(-1);
    return { hops: newest?.hops ?? this.#hops, ...sum, findMs };
  }

  async dispose(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#opening.abort(new ChainError('closed', 'This chain is closed. Open another.'));
    await Promise.all([...this.#sessions.keys()].map((session) => this.close(session)));
    // Farewells that are still on their way.
    await Promise.all(this.context.posts);
    if (!this.context.options.peers) this.context.control.dispose();
  }

  /** The plan, made again when one of its peers was lost since. */
  #planNow(): readonly PlannedHop[] {
    const { finder, standIn, span, layers, maxTokens, options } = this.context;
    if (this.plan.every(({ candidate }) => finder.get(candidate.address.peer))) return this.plan;
    const { prefer } = options;
    const candidates = finder.known();
    try {
      return planChain({
        range: span,
        layers,
        embed: span.embed,
        head: span.head,
        maxTokens,
        candidates,
        prefer,
        standIn,
      });
    } catch {
      // Opening fails at the hops that are lost, and looks for others.
      return this.plan;
    }
  }

  #find(session: number): ChainSession {
    this.#checkOpen();
    const found = this.#sessions.get(session);
    if (!found)
      throw new ChainError('no-session', `Session ${session} is not open here. Start a new conversation.`);
    return found;
  }

  #checkOpen(): void {
    if (this.#closed && this.#sessions.size === 0)
      throw new ChainError('closed', 'This chain is closed. Open another.');
  }
}
