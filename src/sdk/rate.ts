/** Seconds looked back on: short enough to follow a change, long enough not to flicker. */
const WINDOW_S = 3;

/** Bytes per second over the last few seconds. */
export class Rate {
  readonly #points: { at: number; bytes: number }[] = [];

  constructor(private readonly now: () => number) {}

  /** @param bytes total so far @returns bytes per second, 0 until there is something to measure */
  add(bytes: number): number {
    const at = this.now() / 1000;
    this.#points.push({ at, bytes });
    while (this.#points.length > 2 && at - this.#points[0]!.at > WINDOW_S) this.#points.shift();
    const first = this.#points[0]!;
    const seconds = at - first.at;
    return seconds > 0.25 ? Math.max(0, (bytes - first.bytes) / seconds) : 0;
  }
}
