import type { TurnStep } from '../chat/index.ts';
import type { TraceEntry } from './types.ts';

/** Entries of one answer: a longer one is not told token by token to its end. */
export const MOST_ENTRIES = 2048;
/** Of them, kept free of steps, so that a loss late in a long answer is still told. */
const FOR_LOSSES = 64;
/** Characters of a reason, which may be a peer's. */
const MOST_REASON = 300;

type Loss = Omit<Extract<TraceEntry, { kind: 'lost' }>, 'kind' | 'at_ms'>;
type Recovery = Omit<Extract<TraceEntry, { kind: 'recovered' }>, 'kind' | 'at_ms'>;

/** Collects what happens during one answer, from the moment that its question is taken up. */
export class Trace {
  readonly #startedAt: number;
  #entries: TraceEntry[] = [];
  #told = 0;

  /** @param now milliseconds */
  constructor(private readonly now: () => number) {
    this.#startedAt = now();
  }

  /** The model or the chain is ready, and the prompt is about to be computed. */
  opened(): void {
    this.#add({ kind: 'opened', at_ms: 0, ms: this.#since(this.now()) });
  }

  step({ kind, startedAt, ms, positions, ownMs, hopMs, wireMs }: TurnStep): void {
    if (this.#told >= MOST_ENTRIES - FOR_LOSSES) return;
    this.#add({
      kind,
      at_ms: this.#since(startedAt),
      ms,
      positions,
      own_ms: ownMs,
      hops_ms: [...hopMs],
      wire_ms: wireMs,
    });
  }

  lost(loss: Loss): void {
    const reason = loss.reason.slice(0, MOST_REASON);
    this.#add({ kind: 'lost', at_ms: this.#since(this.now()), ...loss, reason });
  }

  recovered(recovery: Recovery): void {
    this.#add({ kind: 'recovered', at_ms: this.#since(this.now() - recovery.ms), ...recovery });
  }

  /** What came since the last call. */
  take(): TraceEntry[] {
    const taken = this.#entries;
    this.#entries = [];
    return taken;
  }

  /** A chain's pause may have begun before the question did. */
  #since(at: number): number {
    return Math.max(0, at - this.#startedAt);
  }

  #add(entry: TraceEntry): void {
    if (this.#told >= MOST_ENTRIES) return;
    this.#told++;
    this.#entries.push(entry);
  }
}
