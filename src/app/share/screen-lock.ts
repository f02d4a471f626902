/** Keeps the screen from sleeping while it is wanted and the page is seen; a browser lets go of it when it is not. */
export class ScreenLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  #asking = false;

  constructor(private readonly told: (held: boolean) => void) {
    document.addEventListener('visibilitychange', () => void this.#follow());
  }

  want(wanted: boolean): void {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    const wanted = this.#wanted && !document.hidden;
    if (!wanted) {
      await this.#lock?.release().catch(() => {});
      return;
    }
    if (this.#lock || this.#asking || !('wakeLock' in navigator)) return;
    this.#asking = true;
    try {
      const lock = await navigator.wakeLock.request('screen');
      this.#lock = lock;
      this.told(true);
      lock.addEventListener('release', () => {
        this.#lock = null;
        this.told(false);
      });
    } catch {
      // Refused, as with a low battery: asked for again when the page is next seen.
    } finally {
      this.#asking = false;
    }
    // Given up, or hidden, while the browser was asked.
    if (!this.#wanted || document.hidden) await this.#lock?.release().catch(() => {});
  }
}
