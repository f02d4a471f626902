import { Cell } from '../../../sdk/early.ts';
import type { Keep } from '../../keep.ts';
import type { Device } from '../device.ts';
import type { DeviceState } from '../types.ts';

/** Small values in memory; `full` refuses to write. */
export function memoryKeep(values = new Map<string, string>()): Keep & { full: boolean } {
  const keep = {
    full: false,
    getItem: (name: string) => values.get(name) ?? null,
    setItem(name: string, value: string) {
      if (keep.full) throw new DOMException('full', 'QuotaExceededError');
      values.set(name, value);
    },
    removeItem: (name: string) => void values.delete(name),
  };
  return keep;
}

/** One browser: its tabs share names that only one of them has. */
export class TestBrowser {
  readonly keep = memoryKeep();
  readonly #claimed = new Set<string>();
  readonly #sharing = new Set<TestDevice>();

  tab(tab: Keep = memoryKeep()): TestDevice {
    return new TestDevice(tab, this.#claimed, this.#sharing);
  }
}

/** A machine whose clock, battery and user do what a test says. */
export class TestDevice implements Device {
  readonly state = new Cell<DeviceState>({
    charging: null,
    idle: false,
    idleOf: 'page',
    mayAskIdle: false,
    screenHeld: false,
  });
  /** Local. */
  now = new Date(2026, 5, 15, 12);
  screen = false;
  readonly #ticks: (() => void)[] = [];
  readonly #leaves: (() => void)[] = [];
  readonly #mine: string[] = [];

  constructor(
    readonly tab: Keep,
    private readonly claimed: Set<string>,
    private readonly sharing: Set<TestDevice>,
  ) {}

  date = (): Date => this.now;
  every = (_ms: number, run: () => void): void => void this.#ticks.push(run);
  onLeave = (run: () => void): void => void this.#leaves.push(run);
  onKept = (): void => {};
  holdScreen = (wanted: boolean): void => {
    this.screen = wanted;
  };
  askForIdle = async (): Promise<boolean> => false;
  claim = async (name: string): Promise<boolean> => {
    if (this.claimed.has(name)) return false;
    this.claimed.add(name);
    this.#mine.push(name);
    return true;
  };
  showSharing = (on: boolean): void => {
    if (on) this.sharing.add(this);
    else this.sharing.delete(this);
  };
  othersShare = async (): Promise<boolean> => [...this.sharing].some((one) => one !== this);

  tick(): void {
    for (const run of this.#ticks) run();
  }

  /** The page goes. */
  leave(): void {
    for (const run of this.#leaves) run();
    for (const name of this.#mine) this.claimed.delete(name);
    this.sharing.delete(this);
    this.#ticks.length = 0;
  }
}
