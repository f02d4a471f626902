import type { ChatOptions } from '../chat/types.ts';

/** How many options of a chat differ from the settings. */
export function ownOptions({ system, temperature, topP, maxTokens, seed }: ChatOptions): number {
  const own = [temperature, topP, maxTokens, seed].filter((value) => value !== null).length;
  return own + (system.trim() === '' ? 0 : 1);
}

/** Everything as in the settings. */
export const NO_OPTIONS: ChatOptions = {
  system: '',
  temperature: null,
  topP: null,
  maxTokens: null,
  seed: null,
};

/** The largest seed that the sampler takes: 32 bits. */
export const LARGEST_SEED = 0xffffffff;

/** Letters that share tokens in the vocabularies of Latin text. */
const SHARED = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}\s]/gu;
/** Characters of such text in one token: English has four, other languages fewer. */
const CHARACTERS_PER_TOKEN = 4;

/** Tokens of a text, roughly: the model's own tokenizer is not in the page. Other scripts count one per character. */
export function estimateTokens(text: string): number {
  const rest = text.replace(SHARED, '');
  const shared = text.length - rest.length;
  return Math.ceil(shared / CHARACTERS_PER_TOKEN + [...rest].length);
}
