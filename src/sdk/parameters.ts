import { DEFAULT_SAMPLING, type Sampling } from '../chat/index.ts';
import { ShoalError } from './errors.ts';
import type { CompletionParameters, Message, Privacy, Route } from './types.ts';

/** Caps far above any use, so that a runaway caller is told instead of filling the tab. */
const MOST_MESSAGES = 10_000;
const MOST_CHARACTERS = 8_000_000;
const MOST_STOPS = 4;
const MOST_STOP_CHARACTERS = 256;

const KNOWN = new Set([
  'model',
  'messages',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'repetition_penalty',
  'max_tokens',
  'seed',
  'stop',
  'stream',
  'route',
  'privacy',
  'while_loading',
  'continue_final_message',
  'signal',
]);

/** Parameters with every default filled in. */
export interface CheckedParameters {
  model: string | null;
  messages: Message[];
  sampling: Sampling;
  maxTokens: number | undefined;
  stop: string[];
  stream: boolean;
  route: Route;
  privacy: Privacy;
  whileLoading: 'wait' | 'network';
  /** The last message is the beginning of the answer. */
  continueFinal: boolean;
  signal: AbortSignal | undefined;
}

/**
 * Checks what a caller gave.
 * @param randomSeed taken when no seed is given
 * @throws ShoalError `bad-request` whose `param` names the parameter
 */
export function checkParameters(given: unknown, randomSeed: () => number): CheckedParameters {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refuse('messages', 'create() takes one object: { messages: [{ role, content }], … }.');
  }
  const parameters: Partial<Record<keyof CompletionParameters, unknown>> = given;
  for (const name of Object.keys(given)) {
    if (!KNOWN.has(name)) {
      throw refuse(name, `Unknown parameter "${name}". Known: ${[...KNOWN].join(', ')}.`);
    }
  }
  const model = parameters.model ?? null;
  if (model !== null && (typeof model !== 'string' || model === '')) {
    throw refuse('model', 'model must be an id or a cid from models().');
  }
  const signal = parameters.signal ?? undefined;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuse('signal', 'signal must be an AbortSignal.');
  }
  const stream = flag('stream', parameters.stream);
  const continueFinal = flag('continue_final_message', parameters.continue_final_message);
  const messages = checkMessages(parameters.messages);
  const last = messages.at(-1);
  if (continueFinal && (last?.role !== 'assistant' || last.content === '')) {
    throw refuse(
      'continue_final_message',
      'continue_final_message goes on with the last message, which must be the assistant’s and not be empty.',
    );
  }
  return {
    model,
    messages,
    sampling: {
      ...DEFAULT_SAMPLING,
      temperature: number('temperature', parameters.temperature, DEFAULT_SAMPLING.temperature, 0, 2),
      topP: number('top_p', parameters.top_p, DEFAULT_SAMPLING.topP, 0, 1),
      topK: number('top_k', parameters.top_k, DEFAULT_SAMPLING.topK, 0, 1_000_000, true),
      minP: number('min_p', parameters.min_p, DEFAULT_SAMPLING.minP, 0, 1),
      repetitionPenalty: number(
        'repetition_penalty',
        parameters.repetition_penalty,
        DEFAULT_SAMPLING.repetitionPenalty,
        0.1,
        10,
      ),
      // Always a seed, so that an answer can be told exactly how to come about again.
      seed: number(
        'seed',
        parameters.seed,
        randomSeed(),
        Number.MIN_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER,
        true,
      ),
    },
    maxTokens:
      parameters.max_tokens === undefined || parameters.max_tokens === null
        ? undefined
        : number('max_tokens', parameters.max_tokens, 1, 1, 10_000_000, true),
    stop: checkStop(parameters.stop),
    stream,
    route: choice('route', parameters.route, ['auto', 'local', 'network'], 'auto'),
    privacy: choice('privacy', parameters.privacy, ['private', 'light'], 'private'),
    whileLoading: choice('while_loading', parameters.while_loading, ['wait', 'network'], 'wait'),
    continueFinal,
    signal,
  };
}

function refuse(param: string, message: string): ShoalError {
  return new ShoalError('bad-request', message, { param });
}

/** A value as a message shows it, short whatever it is. */
function shown(value: unknown): string {
  // An object is not asked for its text: its toString may be anything.
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object'
        ? 'an object'
        : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw refuse(name, `${name} must be true or false, not ${shown(value)}.`);
  return value;
}

function choice<T extends string>(name: string, value: unknown, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    throw refuse(name, `${name} must be one of ${allowed.join(', ')}, not ${shown(value)}.`);
  }
  return found;
}

function number(
  name: string,
  value: unknown,
  fallback: number,
  low: number,
  high: number,
  whole = false,
): number {
  if (value === undefined || value === null) return fallback;
  // NaN fails both comparisons.
  if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw refuse(name, `${name} must be ${kind} from ${low} to ${high}, not ${shown(value)}.`);
  }
  return value;
}

function checkMessages(value: unknown): Message[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw refuse('messages', 'messages must be a list with at least one { role, content }.');
  }
  if (value.length > MOST_MESSAGES) {
    throw refuse('messages', `messages has ${value.length} entries; at most ${MOST_MESSAGES} are taken.`);
  }
  let characters = 0;
  return value.map((message: unknown, i) => {
    const at = `messages[${i}]`;
    if (typeof message !== 'object' || message === null) {
      throw refuse('messages', `${at} must be an object { role, content }.`);
    }
    const role = 'role' in message ? message.role : undefined;
    const content = 'content' in message ? message.content : undefined;
    if (role !== 'system' && role !== 'user' && role !== 'assistant') {
      throw refuse('messages', `${at}.role must be system, user or assistant, not ${shown(role)}.`);
    }
    if (typeof content !== 'string') throw refuse('messages', `${at}.content must be a string.`);
    characters += content.length;
    if (characters > MOST_CHARACTERS) {
      throw refuse('messages', `messages hold more than ${MOST_CHARACTERS} characters. Send less text.`);
    }
    return { role, content };
  });
}

function checkStop(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MOST_STOPS) throw refuse('stop', `stop takes at most ${MOST_STOPS} strings.`);
  return list.map((text) => {
    if (typeof text !== 'string' || text === '' || text.length > MOST_STOP_CHARACTERS) {
      throw refuse('stop', `stop must be strings of 1 to ${MOST_STOP_CHARACTERS} characters.`);
    }
    return text;
  });
}
