import { badRequest } from './messages.ts';

/** How the next token is chosen. */
export interface Sampling {
  /** 0 always takes the likeliest token. */
  temperature: number;
  /** Only the k likeliest tokens; 0: all. */
  topK: number;
  /** Only the likeliest tokens that together reach this probability; 1: all. */
  topP: number;
  /** Only tokens at least this fraction as likely as the likeliest; 0: all. */
  minP: number;
  /** Above 1, tokens of the last `repetitionWindow` become less likely; 1: off. */
  repetitionPenalty: number;
  /** Tokens looked back on. */
  repetitionWindow: number;
  /** The same seed gives the same text; null: a new one each time. */
  seed: number | null;
}

/** llama.cpp's defaults, but OpenAI's for temperature and top_p. */
export const DEFAULT_SAMPLING: Readonly<Sampling> = {
  temperature: 1,
  topK: 40,
  topP: 1,
  minP: 0.05,
  repetitionPenalty: 1,
  repetitionWindow: 64,
  seed: null,
};

/**
 * Reads the sampling parameters of an OpenAI request (`temperature`, `top_k`, `top_p`, `min_p`, `repetition_penalty`,
 * `repetition_window`, `seed`); other fields are left alone.
 * @throws ChatError `bad-request` that names the parameter and its range
 */
export function parseSampling(value: unknown): Sampling {
  if (value === undefined || value === null) return { ...DEFAULT_SAMPLING };
  if (typeof value !== 'object') badRequest('The sampling parameters must be an object.');
  const given = value as Record<string, unknown>;
  const number = (name: string, low: number, high: number, whole: boolean, otherwise: number): number => {
    const n = given[name];
    if (n === undefined || n === null) return otherwise;
    if (typeof n !== 'number' || !(n >= low && n <= high) || (whole && !Number.isInteger(n))) {
      badRequest(`"${name}" must be a ${whole ? 'whole ' : ''}number from ${low} to ${high}.`);
    }
    return n;
  };
  const standard = DEFAULT_SAMPLING;
  const hasSeed = given.seed !== undefined && given.seed !== null;
  const safe = Number.MAX_SAFE_INTEGER;
  return {
    temperature: number('temperature', 0, 2, false, standard.temperature),
    topK: number('top_k', 0, 1_000_000, true, standard.topK),
    topP: number('top_p', 0, 1, false, standard.topP),
    minP: number('min_p', 0, 1, false, standard.minP),
    repetitionPenalty: number('repetition_penalty', 0.1, 10, false, standard.repetitionPenalty),
    repetitionWindow: number('repetition_window', 0, 65_536, true, standard.repetitionWindow),
    seed: hasSeed ? number('seed', -safe, safe, true, 0) : null,
  };
}
