import type { TurnModel } from '../turn.ts';

/**
 * A model that is a pure function of the tokens its session holds: after the last occurrence of `cue` it says `answer`, one
 * token at a time; anything else in its cache changes what it says. It records what it was asked to compute.
 */
export class ArithmeticModel implements TurnModel {
  readonly info: { readonly maxTokens: number };
  readonly sessions = new Map<number, number[]>();
  /** Lengths of the inputs of `forward`, in order. */
  readonly calls: number[] = [];
  readonly truncations: number[] = [];
  /** Runs before each forward; may throw, or abort something. */
  before: (call: number) => void | Promise<void> = () => undefined;
  #next = 1;

  constructor(
    readonly vocabulary: number,
    readonly cue: readonly number[],
    public answer: readonly number[],
    maxTokens = 4096,
  ) {
    this.info = { maxTokens };
  }

  async open(): Promise<number> {
    this.sessions.set(this.#next, []);
    return this.#next++;
  }

  async forward(
    session: number,
    { tokens }: { tokens: ArrayLike<number> },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ logits: Float32Array; computeMs: number }> {
    const held = this.#held(session);
    this.calls.push(tokens.length);
    await this.before(this.calls.length);
    // A real engine may have written some positions before it stops; so does this one.
    held.push(...Array.from(tokens));
    if (signal?.aborted) throw new Error('aborted');
    if (held.length > this.info.maxTokens) throw new Error('cache full');
    const logits = new Float32Array(this.vocabulary);
    logits[this.#say(held)] = 10;
    return { logits, computeMs: tokens.length };
  }

  async truncate(session: number, length: number): Promise<void> {
    this.truncations.push(length);
    this.#held(session).length = length;
  }

  async close(session: number): Promise<void> {
    this.#held(session);
    this.sessions.delete(session);
  }

  #held(session: number): number[] {
    const held = this.sessions.get(session);
    if (!held) throw new Error(`no session ${session}`);
    return held;
  }

  #say(held: readonly number[]): number {
    for (let at = held.length - this.cue.length; at >= 0; at--) {
      if (!this.cue.every((id, i) => held[at + i] === id)) continue;
      const said = held.slice(at + this.cue.length);
      const right = said.every((id, i) => id === this.answer[i]);
      return right ? this.answer[said.length % this.answer.length]! : 3;
    }
    return 4;
  }
}
