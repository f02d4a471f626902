import { Cell, type Observable } from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';
import { watchBattery } from './battery.ts';
import { IdleWatch } from './idle-watch.ts';
import { ScreenLock } from './screen-lock.ts';
import type { Claim } from './totals.ts';
import type { DeviceState } from './types.ts';

/** What the keeper needs of the machine and the tab around it; tests in Node have another. */
export interface Device {
  readonly state: Observable<DeviceState>;
  askForIdle(): Promise<boolean>;
  /** Keeps the screen from sleeping, while this page is seen. */
  holdScreen(wanted: boolean): void;
  /** Local time. */
  date(): Date;
  /** Calls about every `ms` milliseconds, as long as the page lives. */
  every(ms: number, run: () => void): void;
  /** Calls when the page is hidden or goes: nothing that takes time can be done then. */
  onLeave(run: () => void): void;
  /** Calls with the key when another tab of this browser changed what is kept. */
  onKept(listener: (key: string) => void): void;
  /** Values of this tab alone, over a reload. */
  readonly tab: Keep;
  /** Takes a name that only one tab has, until the page goes. */
  claim: Claim;
  /** Shows other tabs that this one shares, or no longer. */
  showSharing(on: boolean): void;
  /** Whether another tab of this browser shares. */
  othersShare(): Promise<boolean>;
}

const SHARING = 'shoal.sharing';

export function browserDevice(): Device {
  const state = new Cell<DeviceState>({
    charging: null,
    idle: false,
    idleOf: 'page',
    mayAskIdle: false,
    screenHeld: 'wakeLock' in navigator ? false : null,
  });
  watchBattery((charging) => state.update({ charging }));
  const idle = new IdleWatch((change) => state.update(change));
  const screen = new ScreenLock((screenHeld) => state.update({ screenHeld }));
  const locks: LockManager | undefined = navigator.locks;
  let stopShowing = new AbortController();
  return {
    state,
    askForIdle: () => idle.ask(),
    holdScreen: (wanted) => screen.want(wanted),
    date: () => new Date(),
    every: (ms, run) => void setInterval(run, ms),
    onLeave(run) {
      addEventListener('pagehide', run);
      document.addEventListener('visibilitychange', () => document.hidden && run());
    },
    onKept: (listener) => addEventListener('storage', ({ key }) => key !== null && listener(key)),
    tab: openTabKeep(),
    claim: (name) =>
      new Promise((resolve) => {
        // Without TLS there are no locks; then every tab has the first place.
        if (!locks) return resolve(true);
        const forGood = new Promise<never>(() => {});
        locks
          .request(name, { ifAvailable: true }, (lock) => {
            resolve(lock !== null);
            return lock ? forGood : undefined;
          })
          .catch(() => resolve(false));
      }),
    showSharing(on) {
      stopShowing.abort();
      stopShowing = new AbortController();
      const { signal } = stopShowing;
      if (!on || !locks) return;
      const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      locks.request(SHARING, { mode: 'shared' }, () => over).catch(() => {});
    },
    async othersShare() {
      const held = (await locks?.query().catch(() => null))?.held ?? [];
      return held.some(({ name }) => name === SHARING);
    },
  };
}

/** A browser that forbids storage forgets it with the page. */
function openTabKeep(): Keep {
  const values = new Map<string, string>();
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch {
      return otherwise;
    }
  };
  return {
    getItem: (name) => attempt(() => sessionStorage.getItem(name), null) ?? values.get(name) ?? null,
    setItem(name, value) {
      values.set(name, value);
      attempt(() => sessionStorage.setItem(name, value), undefined);
    },
    removeItem(name) {
      values.delete(name);
      attempt(() => sessionStorage.removeItem(name), undefined);
    },
  };
}
