import type { DeviceState } from './types.ts';

/** Milliseconds without input after which nobody uses a device. */
export const IDLE_MS = 5 * 60_000;
/** Milliseconds between looks at the last input. */
const LOOK_MS = 5_000;
const INPUTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'] as const;

/** The Idle Detection API, which Chromium has and TypeScript does not know. */
interface IdleDetector extends EventTarget {
  userState: 'active' | 'idle' | null;
  screenState: 'locked' | 'unlocked' | null;
  start(options: { threshold: number }): Promise<void>;
}
type IdleDetectorClass = (new () => IdleDetector) & { requestPermission(): Promise<string> };

/** Watches this page for input, and the whole device where the browser gives leave. */
export class IdleWatch {
  #lastInput = performance.now();
  #detector: IdleDetector | null = null;
  #idle = false;

  constructor(private readonly told: (change: Partial<DeviceState>) => void) {
    const input = () => {
      this.#lastInput = performance.now();
      if (this.#idle) this.#look();
    };
    for (const name of INPUTS) addEventListener(name, input, { passive: true, capture: true });
    setInterval(() => this.#look(), LOOK_MS);
    void this.#begin();
  }

  /** @returns whether leave was given */
  async ask(): Promise<boolean> {
    const Detector = detectorClass();
    try {
      if ((await Detector?.requestPermission()) !== 'granted') return false;
    } catch {
      // Not after a click, or forbidden to this page.
      return false;
    }
    await this.#begin();
    return this.#detector !== null;
  }

  async #begin(): Promise<void> {
    const Detector = detectorClass();
    if (!Detector || this.#detector) return;
    try {
      const leave = await navigator.permissions.query({ name: 'idle-detection' as PermissionName });
      this.told({ mayAskIdle: leave.state === 'prompt' });
      if (leave.state !== 'granted') return;
      const detector = new Detector();
      detector.addEventListener('change', () => this.#look());
      await detector.start({ threshold: IDLE_MS });
      this.#detector = detector;
      this.told({ idleOf: 'device' });
      this.#look();
    } catch {
      // It cannot be had here: the page's own input has to do.
    }
  }

  #look(): void {
    const ownIdle = performance.now() - this.#lastInput >= IDLE_MS;
    const detector = this.#detector;
    const deviceIdle = !detector || detector.userState === 'idle' || detector.screenState === 'locked';
    const idle = ownIdle && deviceIdle;
    if (idle === this.#idle) return;
    this.#idle = idle;
    this.told({ idle });
  }
}

function detectorClass(): IdleDetectorClass | null {
  const found: unknown = Reflect.get(globalThis, 'IdleDetector');
  return typeof found === 'function' ? (found as unknown as IdleDetectorClass) : null;
}
