import { Cell, type Observable, type Privacy, type Route, type SharePower } from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';

/** When this device lends, as preferences: it computes for others when all of them hold. */
export interface ShareLimitsSettings {
  power: SharePower;
  /** Megabytes of weights and caches. */
  memoryMb: number;
  /** Hours of the day in local time, half-open, `[0, 24]` for always; from 22 to 6 goes over midnight. */
  hours: readonly [from: number, to: number];
  onlyOnPower: boolean;
  onlyWhenIdle: boolean;
  /** Keeps the screen from sleeping while it shares. */
  wakeLock: boolean;
}

/** What a user may set. All of it stays in this browser. */
export interface Settings {
  route: Route;
  privacy: Privacy;
  /** When a question comes while this tab's own weights are still on their way. */
  whileLoading: 'ask' | 'network' | 'wait';
  temperature: number;
  topP: number;
  maxTokens: number;
  theme: 'system' | 'light' | 'dark';
  motion: 'system' | 'less';
  textSize: 'normal' | 'large';
  language: 'system' | 'en';
  /** Relays to join instead of the page's own; empty for the page's own. */
  relays: readonly string[];
  /** Tell in a notification when an answer is done in a hidden tab. */
  notify: boolean;
  /** The sentence on who could read what was shown for this mode. */
  told: readonly Privacy[];
  share: ShareLimitsSettings;
}

/** Small models wander at higher temperatures; the default model's makers advise a low one. */
export const DEFAULTS: Settings = {
  route: 'auto',
  privacy: 'private',
  whileLoading: 'ask',
  temperature: 0.3,
  topP: 1,
  maxTokens: 512,
  theme: 'system',
  motion: 'system',
  textSize: 'normal',
  language: 'system',
  relays: [],
  notify: false,
  told: [],
  share: {
    power: 'medium',
    memoryMb: 512,
    hours: [0, 24],
    onlyOnPower: false,
    onlyWhenIdle: false,
    wakeLock: false,
  },
};

export const LIMITS = {
  temperature: [0, 2],
  topP: [0, 1],
  maxTokens: [1, 4096],
  memoryMb: [128, 16384],
} as const;
/** More relays than anybody joins, and an address longer than any. */
export const MOST_RELAYS = 8;
export const LONGEST_RELAY = 512;

const KEY = 'shoal.settings';

/** The settings of this browser; a change in another tab of it arrives here as well. */
export class SettingsStore implements Observable<Settings> {
  /** As they were when the page was opened: what takes effect after a reload is compared with them. */
  readonly atStart: Settings;
  readonly #cell: Cell<Settings>;

  constructor(private readonly keep: Keep) {
    this.atStart = readSettings(keep);
    this.#cell = new Cell(this.atStart);
    globalThis.addEventListener?.('storage', (event) => {
      if ((event as StorageEvent).key === KEY) this.#cell.update(readSettings(keep));
    });
  }

  get = (): Settings => this.#cell.get();
  subscribe = (listener: (value: Settings) => void): (() => void) => this.#cell.subscribe(listener);

  /** Changes some of them; what another tab changed meanwhile stays. */
  change(change: Partial<Settings>): void {
    const settings = checked({ ...readSettings(this.keep), ...change });
    try {
      this.keep.setItem(KEY, JSON.stringify(settings));
    } catch {
      // The browser's small storage is full: the settings live as long as the page.
    }
    this.#cell.update(settings);
  }

  changeShare(change: Partial<ShareLimitsSettings>): void {
    this.change({ share: { ...this.get().share, ...change } });
  }
}

/** The settings kept in this browser; anything odd in them falls back to its default. */
export function readSettings(keep: Pick<Keep, 'getItem'>): Settings {
  try {
    return checked(JSON.parse(keep.getItem(KEY) ?? 'null'));
  } catch {
    // Text that is no JSON was not written by us: the defaults hold.
    return DEFAULTS;
  }
}

function checked(given: unknown): Settings {
  const all = fieldsOf(given);
  const share = fieldsOf(all('share'));
  return {
    route: choice(all('route'), ['auto', 'local', 'network'], DEFAULTS.route),
    privacy: choice(all('privacy'), ['private', 'light'], DEFAULTS.privacy),
    whileLoading: choice(all('whileLoading'), ['ask', 'network', 'wait'], DEFAULTS.whileLoading),
    temperature: number(all('temperature'), LIMITS.temperature, DEFAULTS.temperature),
    topP: number(all('topP'), LIMITS.topP, DEFAULTS.topP),
    maxTokens: Math.round(number(all('maxTokens'), LIMITS.maxTokens, DEFAULTS.maxTokens)),
    theme: choice(all('theme'), ['system', 'light', 'dark'], DEFAULTS.theme),
    motion: choice(all('motion'), ['system', 'less'], DEFAULTS.motion),
    textSize: choice(all('textSize'), ['normal', 'large'], DEFAULTS.textSize),
    language: choice(all('language'), ['system', 'en'], DEFAULTS.language),
    relays: texts(all('relays')),
    notify: all('notify') === true,
    told: (['private', 'light'] as const).filter((mode) => (texts(all('told')) as string[]).includes(mode)),
    share: {
      power: choice(share('power'), ['light', 'medium', 'full'], DEFAULTS.share.power),
      memoryMb: Math.round(number(share('memoryMb'), LIMITS.memoryMb, DEFAULTS.share.memoryMb)),
      hours: hours(share('hours')),
      onlyOnPower: share('onlyOnPower') === true,
      onlyWhenIdle: share('onlyWhenIdle') === true,
      wakeLock: share('wakeLock') === true,
    },
  };
}

function fieldsOf(value: unknown): (name: string) => unknown {
  return (name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined);
}

function choice<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.find((one) => one === value) ?? fallback;
}

function number(value: unknown, [low, high]: readonly [number, number], fallback: number): number {
  return typeof value === 'number' && value >= low && value <= high ? value : fallback;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const kept = value.filter((one): one is string => typeof one === 'string' && one.length <= LONGEST_RELAY);
  return kept.slice(0, MOST_RELAYS);
}

function hours(value: unknown): readonly [number, number] {
  const isHour = (one: unknown): one is number =>
    Number.isInteger(one) && Number(one) >= 0 && Number(one) <= 24;
  if (!Array.isArray(value) || !isHour(value[0]) || !isHour(value[1])) return DEFAULTS.share.hours;
  return [value[0], value[1]];
}
