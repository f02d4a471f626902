import type { Privacy, Route } from '../sdk/index.ts';

/** What a user may set about answers. */
export interface Settings {
  temperature: number;
  maxTokens: number;
  route: Route;
  privacy: Privacy;
}

/** Small models wander at higher temperatures; the default model's makers advise a low one. */
export const DEFAULTS: Settings = { temperature: 0.3, maxTokens: 512, route: 'auto', privacy: 'private' };
const ROUTES: readonly Route[] = ['auto', 'local', 'network'];
const PRIVACIES: readonly Privacy[] = ['private', 'light'];
export const LIMITS = { temperature: [0, 2], maxTokens: [1, 4096] } as const;

const KEY = 'shoal.settings';

/** The settings kept in this browser; anything odd in them falls back to its default. */
export function readSettings(storage: Pick<Storage, 'getItem'>): Settings {
  let given: unknown = null;
  try {
    given = JSON.parse(storage.getItem(KEY) ?? 'null');
  } catch {
    // Text that is no JSON was not written by us: the defaults hold.
  }
  const found = (name: keyof Settings): unknown =>
    typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
  const number = (name: keyof typeof LIMITS): number => {
    const value = found(name);
    const [low, high] = LIMITS[name];
    return typeof value === 'number' && value >= low && value <= high ? value : DEFAULTS[name];
  };
  return {
    temperature: number('temperature'),
    maxTokens: Math.round(number('maxTokens')),
    route: ROUTES.find((route) => route === found('route')) ?? DEFAULTS.route,
    privacy: PRIVACIES.find((privacy) => privacy === found('privacy')) ?? DEFAULTS.privacy,
  };
}

/** Changes some of them; what another part of the page changed meanwhile stays. */
export function writeSettings(
  storage: Pick<Storage, 'getItem' | 'setItem'>,
  change: Partial<Settings>,
): Settings {
  const settings = { ...readSettings(storage), ...change };
  storage.setItem(KEY, JSON.stringify(settings));
  return settings;
}
