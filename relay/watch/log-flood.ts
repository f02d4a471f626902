import type { Clock } from '../../src/swarm/index.ts';

/** Lines of one message that are written in one second. */
export const LINES_PER_SECOND = 20;
/** Different messages in one second; messages are sentences of the code, of which there are a few hundred. */
export const MESSAGES_PER_SECOND = 500;
const WINDOW_MS = 1_000;

/** Holds back what is said too often, and says at the end of each second how much that was. */
export class Flood {
  readonly #counts = new Map<string, { count: number; rest: (held: number) => void }>();
  #cancel: (() => void) | null = null;
  #others = 0;

  /** @param onOthers called for lines beyond the number of different messages, which are not even counted singly */
  constructor(
    private readonly clock: Clock,
    private readonly onOthers: (held: number) => void,
  ) {}

  /** @param rest called at the end of the second when lines of this key were held back */
  admits(key: string, rest: (held: number) => void): boolean {
    this.#cancel ??= this.clock.after(WINDOW_MS, () => this.flush());
    let known = this.#counts.get(key);
    if (!known) {
      if (this.#counts.size >= MESSAGES_PER_SECOND) {
        this.#others++;
        return false;
      }
      known = { count: 0, rest };
      this.#counts.set(key, known);
    }
    return ++known.count <= LINES_PER_SECOND;
  }

  /** Ends the second now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const held = [...this.#counts.values()].filter(({ count }) => count > LINES_PER_SECOND);
    const others = this.#others;
    this.#counts.clear();
    this.#others = 0;
    for (const { count, rest } of held) rest(count - LINES_PER_SECOND);
    if (others > 0) this.onOthers(others);
  }
}
