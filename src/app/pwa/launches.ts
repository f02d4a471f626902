import { LAUNCH_CACHE } from './build/names.ts';
import type { Launched, LaunchProblem } from './types.ts';
import { takeLaunches } from './worker/launches.ts';

/** Files of one launch, as many as the composer takes at once. */
const MOST_FILES = 8;

interface LaunchQueue {
  setConsumer(
    consumer: (parameters: { files?: readonly { getFile(): Promise<File> }[] }) => Promise<void>,
  ): void;
}

/** What the page was opened with: files from the system's file manager, and what was shared to it. */
export class Launches {
  #waiting: Launched[] = [];
  readonly #listeners = new Set<(launched: Launched) => void>();

  /** @param onProblem takes why something did not arrive */
  constructor(private readonly onProblem: (problem: LaunchProblem) => void) {
    const queue = (window as { launchQueue?: LaunchQueue }).launchQueue;
    queue?.setConsumer(async ({ files = [] }) => {
      const opened = await Promise.all(files.slice(0, MOST_FILES).map((file) => file.getFile()));
      if (files.length > MOST_FILES) onProblem('too-large');
      if (opened.length > 0) this.#add([{ files: opened, text: '' }]);
    });
    // Storage may be forbidden, and then nothing was kept there either.
    void this.#takeShared().catch(() => {});
  }

  onLaunch(listener: (launched: Launched) => void): () => void {
    this.#listeners.add(listener);
    // Not at once: whoever listens is ready to be called only afterwards.
    queueMicrotask(() => this.#deliver());
    return () => this.#listeners.delete(listener);
  }

  /** One page takes it, whichever asks first. */
  async #takeShared(): Promise<void> {
    if (!('caches' in window) || !(await caches.has(LAUNCH_CACHE))) return;
    await navigator.locks.request(LAUNCH_CACHE, async () => {
      const { launched, problem } = await takeLaunches(await caches.open(LAUNCH_CACHE), Date.now());
      this.#add(launched);
      if (problem) this.onProblem(problem);
    });
  }

  #add(launched: readonly Launched[]): void {
    this.#waiting.push(...launched);
    this.#deliver();
  }

  #deliver(): void {
    if (this.#listeners.size === 0) return;
    for (const launched of this.#waiting.splice(0))
      for (const listener of [...this.#listeners]) listener(launched);
  }
}
