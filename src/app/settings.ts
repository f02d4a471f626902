/** What a user may set about answers. */
export interface Settings {
  temperature: number;
  maxTokens: number;
}

/** Small models wander at higher temperatures; the default model's makers advise a low one. */
export const DEFAULTS: Settings = { temperature: 0.3, maxTokens: 512 };
export const LIMITS = { temperature: [0, 2], maxTokens: [1, 4096] } as const;

const KEY = 'shoal.settings';

/** The settings kept in this browser; anything odd in them falls back to its default. */
export function readSettings(kept: Pick<Storage, 'getItem'>): Settings {
  let given: unknown = null;
  try {
    given = JSON.parse(kept.getItem(KEY) ?? 'null');
  } catch {
    // Text that is no JSON was not written by us: the defaults hold.
  }
  const read = (name: keyof Settings): number => {
    const value = typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
    const [low, high] = LIMITS[name];
    return typeof value === 'number' && value >= low && value <= high ? value : DEFAULTS[name];
  };
  return { temperature: read('temperature'), maxTokens: Math.round(read('maxTokens')) };
}

export function writeSettings(kept: Pick<Storage, 'setItem'>, settings: Settings): void {
  kept.setItem(KEY, JSON.stringify(settings));
}
