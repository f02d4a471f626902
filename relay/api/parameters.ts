import { DEFAULT_SAMPLING } from '../../src/chat/index.ts';
import type { Question, RouteWanted } from '../answers/types.ts';
import { booleanOf, isObject, numberIn, shown, textOf, wellFormed } from './checks.ts';
import { refuse } from './errors.ts';
import { type Endpoint, FIELDS } from './fields.ts';
import { checkMessages } from './messages.ts';

/** A checked request: the question without what the body does not tell. */
export interface ApiRequest extends Omit<Question, 'client' | 'route'> {
  /** Null when the body does not say. */
  route: RouteWanted | null;
  stream: boolean;
  includeUsage: boolean;
}

/** As OpenAI has it for completions; a chat goes on until the model ends it. */
const COMPLETION_TOKENS = 16;
const MAX_TOKENS = 10_000_000;
const MAX_MODEL_NAME = 512;
const MAX_STOPS = 4;
const MAX_STOP_LENGTH = 256;
/** Names in a message about an unknown field are cut to this. */
const MAX_SHOWN_NAME = 64;

const ROUTES: readonly RouteWanted[] = ['auto', 'own', 'network'];

/** Fields by name, for each endpoint. */
const KNOWN: Record<Endpoint, ReadonlyMap<string, (typeof FIELDS)[number]>> = {
  chat: new Map(
    FIELDS.filter((field) => field.endpoints.includes('chat')).map((field) => [field.name, field]),
  ),
  completions: new Map(
    FIELDS.filter((field) => field.endpoints.includes('completions')).map((field) => [field.name, field]),
  ),
};

/**
 * Checks the body of a request; nothing in it is ignored unless `fields.ts` says so.
 * @throws ApiError 400 whose `param` names the field
 */
export function checkRequest(endpoint: Endpoint, body: unknown): ApiRequest {
  if (!isObject(body)) refuse('body', 'The body must be a JSON object.', 'invalid_type');
  for (const [name, value] of Object.entries(body)) {
    const field = KNOWN[endpoint].get(name);
    if (!field) {
      const short = name.slice(0, MAX_SHOWN_NAME);
      refuse(short, `Unrecognized request argument supplied: ${short}`, 'unknown_parameter');
    }
    field.check?.(name, value);
  }
  const stream = booleanOf('stream', body.stream);
  return {
    model: checkModel(body.model),
    prompt:
      endpoint === 'chat' ? { messages: checkMessages(body.messages) } : { text: checkPrompt(body.prompt) },
    sampling: {
      temperature: numberIn('temperature', body.temperature, 0, 2) ?? 1,
      topP: numberIn('top_p', body.top_p, 0, 1) ?? 1,
      topK: numberIn('top_k', body.top_k, 0, 1_000_000, true) ?? 0,
      minP: numberIn('min_p', body.min_p, 0, 1) ?? 0,
      repetitionPenalty: numberIn('repetition_penalty', body.repetition_penalty, 0.1, 10) ?? 1,
      repetitionWindow: DEFAULT_SAMPLING.repetitionWindow,
      seed: numberIn('seed', body.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
    },
    maxTokens: checkMaxTokens(endpoint, body),
    stop: checkStop(body.stop),
    logprobs: endpoint === 'chat' ? chatLogprobs(body) : numberIn('logprobs', body.logprobs, 0, 5, true),
    route: checkRoute('route', body.route),
    stream,
    includeUsage: checkStreamOptions(body.stream_options, stream),
  };
}

/** Of the body, the header or the query. @throws ApiError 400 */
export function checkRoute(name: string, value: unknown): RouteWanted | null {
  if (value === undefined || value === null) return null;
  const route = ROUTES.find((one) => one === value);
  if (!route) refuse(name, `${name} must be one of ${ROUTES.join(', ')}, not ${shown(value)}.`);
  return route;
}

function checkModel(value: unknown): string {
  if (value === undefined || value === null || value === '') {
    refuse('model', 'You must provide a model: an id of GET /v1/models.', 'missing_required_parameter');
  }
  if (typeof value !== 'string' || value.length > MAX_MODEL_NAME) {
    refuse('model', `model must be the id of a model, not ${shown(value)}.`);
  }
  return value;
}

function checkPrompt(value: unknown): string {
  // LangChain sends lists of prompts, of one as a rule.
  const prompt: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (prompt === undefined || prompt === null) {
    refuse('prompt', 'You must provide a prompt.', 'missing_required_parameter');
  }
  if (Array.isArray(prompt) || typeof prompt === 'number') {
    refuse('prompt', 'prompt must be one text: token ids and several prompts are not supported.');
  }
  return textOf('prompt', prompt);
}

function checkMaxTokens(endpoint: Endpoint, body: Record<string, unknown>): number | undefined {
  const one = numberIn('max_tokens', body.max_tokens, 1, MAX_TOKENS, true);
  const other = numberIn('max_completion_tokens', body.max_completion_tokens, 1, MAX_TOKENS, true);
  if (one !== null && other !== null && one !== other) {
    refuse('max_tokens', 'max_tokens and max_completion_tokens contradict each other. Send one of them.');
  }
  return one ?? other ?? (endpoint === 'completions' ? COMPLETION_TOKENS : undefined);
}

function checkStop(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MAX_STOPS) refuse('stop', `stop takes at most ${MAX_STOPS} texts.`);
  return list.map((stop) => {
    if (typeof stop !== 'string' || stop === '' || stop.length > MAX_STOP_LENGTH) {
      refuse('stop', `stop must be text of 1 to ${MAX_STOP_LENGTH} characters, or a list of such texts.`);
    }
    return wellFormed(stop);
  });
}

function chatLogprobs(body: Record<string, unknown>): number | null {
  const wanted = booleanOf('logprobs', body.logprobs);
  const top = numberIn('top_logprobs', body.top_logprobs, 0, 20, true);
  if (top !== null && top > 0 && !wanted) {
    refuse('top_logprobs', 'top_logprobs needs logprobs: true.');
  }
  return wanted ? (top ?? 0) : null;
}

function checkStreamOptions(value: unknown, stream: boolean): boolean {
  if (value === undefined || value === null) return false;
  if (!isObject(value)) refuse('stream_options', 'stream_options must be an object.', 'invalid_type');
  for (const name of Object.keys(value)) {
    // Obfuscation pads chunks so that their length tells nothing; clients send its default, false.
    if (name === 'include_usage') continue;
    const short = `stream_options.${name.slice(0, MAX_SHOWN_NAME)}`;
    if (name !== 'include_obfuscation') refuse(short, `${short} is not supported.`, 'unknown_parameter');
    if (booleanOf(short, value[name])) refuse(short, `${short} is not supported.`, 'unsupported_parameter');
  }
  const wanted = booleanOf('stream_options.include_usage', value.include_usage);
  if (!stream) refuse('stream_options', 'stream_options is only for stream: true.');
  return wanted;
}
