import type { Observable, ShoalError } from '../../sdk/early.ts';

/** What this device did for others in some time. */
export interface Helped {
  /** Tokens of answers, one step each. */
  tokens: number;
  /** Positions computed in all, prompts and replays included. */
  positions: number;
  conversations: number;
  /** Different peers of each visit of this page; a page that is loaded again is another peer. */
  peers: number;
  /** Milliseconds that the engine ran for others, and that the device was lent. */
  computeMs: number;
  lentMs: number;
  bytesIn: number;
  bytesOut: number;
}

/** Why nothing is lent at the moment although the switch is on. */
export type Hold = 'paused' | 'hours' | 'battery' | 'in-use';

export interface ShareState {
  /** The switch; it survives a reload. */
  wanted: boolean;
  hold: Hold | null;
  /** Why the last attempt failed, null when it did not. Without a relay it is tried again by itself. */
  error: ShoalError | null;
  today: Helped;
  all: Helped;
  /** Milliseconds since 1970 when counting began. */
  since: number;
}

/** What is known of this device, for the limits that ask about it. */
export interface DeviceState {
  /** Null where the browser does not tell. */
  charging: boolean | null;
  /** Nothing was typed, touched or moved for five minutes. */
  idle: boolean;
  /** What `idle` is about: this page alone, or the whole device. */
  idleOf: 'page' | 'device';
  /** The browser can tell of the whole device, but was not asked for leave yet. */
  mayAskIdle: boolean;
  /** The screen is kept from sleeping now; null where the browser cannot do that. */
  screenHeld: boolean | null;
}

/** Which layers of which model to hold. */
export interface ShareChoice {
  model?: string;
  layers?: readonly [number, number];
}

/** Lends this device as the settings want it. What is lent now is in `shoal.membership`. */
export interface ShareKeeper {
  readonly state: Observable<ShareState>;
  readonly device: Observable<DeviceState>;
  /**
   * Resolves when the slice is lent, or waits for a limit to allow it; what goes wrong is in `state`.
   * @param choice layers and model to hold; default: what the network needs most
   */
  on(choice?: ShareChoice): Promise<void>;
  /** Takes nobody new, finishes what runs, then stops. `force`: at once; others recover. */
  off(options?: { force?: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Asks the browser for leave to see whether the device is idle; only after a click. @returns whether it was given */
  askForIdle(): Promise<boolean>;
}
