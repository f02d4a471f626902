/** Milliseconds after which a page that draws no frames (it is hidden) is updated all the same. */
const WITHOUT_FRAMES_MS = 250;

/** Calls once, when the next picture is drawn or soon after. */
export type NextFrame = (callback: () => void) => void;

export const nextFrame: NextFrame = (callback) => {
  let called = false;
  const once = () => {
    if (called) return;
    called = true;
    clearTimeout(timer);
    callback();
  };
  const timer = setTimeout(once, WITHOUT_FRAMES_MS);
  globalThis.requestAnimationFrame?.(once);
};

/** Does a piece of work at most once a frame, however often it is asked for. */
export class OncePerFrame {
  #asked = false;

  constructor(
    private readonly work: () => void,
    private readonly next: NextFrame,
  ) {}

  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.next(() => this.now());
  }

  /** Forgets what was asked for. */
  drop(): void {
    this.#asked = false;
  }

  /** Does what was asked for at once; nothing when nothing was. */
  now(): void {
    if (!this.#asked) return;
    this.#asked = false;
    this.work();
  }
}
