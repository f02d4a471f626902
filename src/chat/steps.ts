import type { Clock } from './turn.ts';

/** One thing that the model did in a turn. Times are milliseconds of the dialogue's clock. */
export interface TurnStep {
  /** `token`: what was computed after a token, not the token itself. */
  kind: 'prefill' | 'token';
  startedAt: number;
  ms: number;
  /** Positions computed. */
  positions: number;
  /** In this peer's own engine. */
  ownMs: number;
  /** In those of the peers that took part, in order; empty where there were none. */
  hopMs: readonly number[];
  /** No engine accounts for these. */
  wireMs: number;
}

/** What a model says about one call. */
export interface StepFigures {
  /** In engines, those of others included. */
  computeMs: number;
  hopMs?: readonly number[];
  wireMs?: number;
}

/** Adds up the calls of one step, and tells of it when it is over. */
export class Step {
  readonly #startedAt: number;
  #computeMs = 0;
  #wireMs = 0;
  #hopMs: number[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly kind: TurnStep['kind'],
  ) {
    this.#startedAt = clock.now();
  }

  add({ computeMs, hopMs = [], wireMs = 0 }: StepFigures): void {
    this.#computeMs += computeMs;
    this.#wireMs += wireMs;
    hopMs.forEach((ms, hop) => {
      this.#hopMs[hop] = (this.#hopMs[hop] ?? 0) + ms;
    });
  }

  end(positions: number): TurnStep {
    const { kind } = this;
    const startedAt = this.#startedAt;
    const others = this.#hopMs.reduce((sum, ms) => sum + ms, 0);
    return {
      kind,
      startedAt,
      ms: this.clock.now() - startedAt,
      positions,
      ownMs: Math.max(0, this.#computeMs - others),
      hopMs: this.#hopMs,
      wireMs: this.#wireMs,
    };
  }
}
