import {
  Cell,
  type Observable,
  type Sharing,
  type Shoal,
  type ShoalError,
  toShoalError,
} from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';
import type { SettingsStore } from '../settings/settings.ts';
import { holdOf } from './conditions.ts';
import { browserDevice, type Device } from './device.ts';
import { KeptSwitch, type SwitchedOn } from './kept-switch.ts';
import { Totals } from './totals.ts';
import type { DeviceState, Hold, ShareChoice, ShareKeeper, ShareState } from './types.ts';

/** Milliseconds between looks at the clock and between writings of the totals. */
const LOOK_MS = 5_000;
/** Milliseconds until a network that could not be reached is tried again, and the most that this grows to. */
const AGAIN_MS = 15_000;
const LONGEST_AGAIN_MS = 300_000;
const MB = 2 ** 20;

export interface KeeperOptions {
  shoal: Shoal;
  settings: SettingsStore;
  keep: Keep;
  device?: Device;
}

/** Lends this device when the switch is on and every limit allows it, and counts what it did. */
export class Keeper implements ShareKeeper {
  readonly state: Cell<ShareState>;
  readonly #shoal: Shoal;
  readonly #settings: SettingsStore;
  readonly #device: Device;
  readonly #kept: KeptSwitch;
  readonly #totals: Totals;
  #switched: SwitchedOn | null = null;
  /** Rises with each turn of the switch: what an older one began changes nothing any more. */
  #run = 0;
  /** What Shoal was told last of the slice that it lends. */
  #held = false;
  /** A share is to be begun as soon as the limits allow it. */
  #due = false;
  #starting: Promise<void> | null = null;
  /** Milliseconds since 1970; null when nothing is to be tried again. */
  #againAt: number | null = null;
  #againMs = AGAIN_MS;

  constructor({ shoal, settings, keep, device = browserDevice() }: KeeperOptions) {
    this.#shoal = shoal;
    this.#settings = settings;
    this.#device = device;
    this.#kept = new KeptSwitch(keep, device);
    this.#totals = new Totals(keep, device.date, device.claim);
    this.state = new Cell<ShareState>({
      wanted: false,
      hold: null,
      error: null,
      ...this.#totals.state.get(),
    });
    this.#totals.state.subscribe((totals) => this.state.update(totals));
    let online = false;
    shoal.membership.subscribe(({ sharing, state }) => {
      if (sharing) this.#totals.count(sharing);
      // What could not be reached may be there again.
      if (!online && state === 'online' && this.#againAt !== null) this.#againAt = 0;
      online = state === 'online';
      void this.#follow();
    });
    settings.subscribe(() => this.#limit());
    device.state.subscribe(() => void this.#follow());
    device.every(LOOK_MS, () => {
      this.#totals.flush();
      this.#totals.show();
      void this.#follow();
    });
    device.onLeave(() => this.#totals.flush());
    device.onKept((key) => key.startsWith('shoal.helped.') && this.#totals.show());
  }

  get device(): Observable<DeviceState> {
    return this.#device.state;
  }

  async resumeAfterReload(): Promise<void> {
    const switched = await this.#kept.read();
    // Switched by hand meanwhile.
    if (!switched || this.#switched) return;
    this.#wanted(switched);
    await this.#begin();
  }

  async on(choice: ShareChoice = {}): Promise<void> {
    const run = ++this.#run;
    const lent = this.#shoal.membership.get().sharing;
    if (lent && (lent.state === 'sharing' || lent.state === 'paused') && isHeld(choice, lent)) {
      this.#wanted({ choice: { model: lent.cid, layers: [lent.start, lent.end] }, paused: false });
      await this.#follow();
      return;
    }
    this.#wanted({ choice, paused: false });
    // Other layers than those that are lent: what runs on them is finished first.
    if (lent && lent.state !== 'failed') await this.#shoal.unshare().catch(() => {});
    if (run === this.#run) await this.#begin();
  }

  async off({ force = false }: { force?: boolean } = {}): Promise<void> {
    this.#run++;
    this.#switched = null;
    this.#due = false;
    this.#againAt = null;
    this.#kept.off();
    this.state.update({ wanted: false, hold: null, error: null });
    // A drain that fails leaves nothing shared either.
    await this.#shoal.unshare({ force }).catch(() => {});
  }

  async pause(): Promise<void> {
    if (!this.#switched) return this.#shoal.pauseSharing();
    this.#wanted({ ...this.#switched, paused: true });
    await this.#follow();
  }

  async resume(): Promise<void> {
    if (!this.#switched) return this.#shoal.resumeSharing();
    this.#wanted({ ...this.#switched, paused: false });
    await this.#follow();
  }

  askForIdle(): Promise<boolean> {
    return this.#device.askForIdle();
  }

  #wanted(switched: SwitchedOn): void {
    this.#switched = switched;
    this.#kept.on(switched);
    this.state.update({ wanted: true, hold: this.#hold(), error: null });
  }

  async #begin(): Promise<void> {
    this.#due = true;
    this.#againMs = AGAIN_MS;
    await this.#follow();
    // One that was ended for this one is over first.
    while (this.#starting) await this.#starting;
  }

  #hold(): Hold | null {
    if (!this.#switched) return null;
    if (this.#switched.paused) return 'paused';
    const facts = { ...this.#device.state.get(), date: this.#device.date() };
    return holdOf(this.#settings.get().share, facts);
  }

  /** Brings what is lent in line with the switch and the limits. */
  async #follow(): Promise<void> {
    const hold = this.#hold();
    if (hold !== this.state.get().hold) this.state.update({ hold });
    const lent = this.#shoal.membership.get().sharing?.state ?? null;
    const { wakeLock } = this.#settings.get().share;
    this.#device.holdScreen(wakeLock && lent === 'sharing');
    if (!this.#switched) return;
    if (this.#againAt !== null && this.#device.date().getTime() >= this.#againAt) {
      this.#againAt = null;
      this.#due = true;
    }
    const held = hold !== null;
    if (this.#due && !held && !this.#starting) this.#start();
    else if (held !== this.#held && (lent === 'preparing' || lent === 'sharing' || lent === 'paused')) {
      this.#held = held;
      // It ends by itself when the slice is lost meanwhile, which is told there.
      await (held ? this.#shoal.pauseSharing() : this.#shoal.resumeSharing()).catch(() => {});
    }
  }

  #start(): void {
    this.#due = false;
    this.#held = false;
    const { choice } = this.#switched!;
    this.#starting = this.#share(choice, this.#run).finally(() => {
      this.#starting = null;
      void this.#follow();
    });
  }

  async #share(choice: ShareChoice, run: number): Promise<void> {
    const { power, memoryMb } = this.#settings.get().share;
    try {
      const { cid, start, end } = await this.#shoal.share({ ...choice, power, memory: memoryMb * MB });
      if (run !== this.#run || !this.#switched) return;
      this.#againMs = AGAIN_MS;
      this.state.update({ error: null });
      this.#switched = { ...this.#switched, choice: { model: cid, layers: [start, end] } };
      this.#kept.on(this.#switched);
    } catch (error) {
      if (run === this.#run && this.#switched) this.#failed(toShoalError(error), this.#switched);
    }
  }

  #failed(error: ShoalError, switched: SwitchedOn): void {
    if (error.code === 'aborted') {
      // Somebody else ended it, by the programmable door.
      void this.off();
      return;
    }
    const another =
      switched.choice.layers !== undefined && (error.code === 'no-model' || error.code === 'failed');
    if (another) {
      // The relay has another model now, or the layers no longer fit: what is needed most is chosen anew.
      this.#switched = { ...switched, choice: {} };
      this.#due = true;
      return;
    }
    this.state.update({ error });
    if (error.code !== 'unreachable') return;
    this.#againAt = this.#device.date().getTime() + this.#againMs;
    this.#againMs = Math.min(LONGEST_AGAIN_MS, this.#againMs * 2);
  }

  #limit(): void {
    const { power, memoryMb } = this.#settings.get().share;
    const lent = this.#shoal.membership.get().sharing;
    if (lent && lent.state !== 'failed') this.#shoal.limitSharing({ power, memory: memoryMb * MB });
    void this.#follow();
  }
}

/** Whether a choice asks for nothing else than what is lent. */
function isHeld({ model, layers }: ShareChoice, lent: Sharing): boolean {
  const sameModel = model === undefined || model === lent.cid;
  return sameModel && (layers === undefined || (layers[0] === lent.start && layers[1] === lent.end));
}
