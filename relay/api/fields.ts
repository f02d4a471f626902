import { aBoolean, type Check, only, shortText, smallMetadata } from './checks.ts';

export type Endpoint = 'chat' | 'completions';

/** One field of a request, and what becomes of it. docs/api.md is made of this table, and a test keeps it so. */
export interface Field {
  name: string;
  endpoints: readonly Endpoint[];
  /** `used`; `ignored`: taken and without effect; `default only`: any other value than those named is refused. */
  support: 'used' | 'ignored' | 'default only';
  /** What is taken, in a few words. */
  takes: string;
  /** Of fields that are not used. The others are read in `parameters.ts`. */
  check?: Check;
}

const BOTH = ['chat', 'completions'] as const;
const CHAT = ['chat'] as const;
const COMPLETIONS = ['completions'] as const;

const used = (name: string, endpoints: readonly Endpoint[], takes: string): Field => ({
  name,
  endpoints,
  support: 'used',
  takes,
});
const ignored = (name: string, endpoints: readonly Endpoint[], takes: string, check: Check): Field => ({
  name,
  endpoints,
  support: 'ignored',
  takes,
  check,
});
const neutral = (
  name: string,
  endpoints: readonly Endpoint[],
  values: readonly unknown[],
  why: string,
): Field => ({
  name,
  endpoints,
  support: 'default only',
  takes: values.map((value) => JSON.stringify(value)).join(', ') || 'null',
  check: only(values, why),
});

const NO_TOOLS = 'this relay calls no tools.';
const TEXT_ONLY = 'the models of this relay read and write text.';

/** What the clients in use send (openai, LangChain, Open WebUI, LibreChat, Continue), and what OpenAI describes. */
export const FIELDS: readonly Field[] = [
  used('model', BOTH, 'id or cid of a model of this relay'),
  used('messages', CHAT, 'roles system, developer (as system), user, assistant; content: text or text parts'),
  used('prompt', COMPLETIONS, 'one text, or a list of one'),
  used('max_completion_tokens', CHAT, 'whole number from 1; default: what the context leaves'),
  used('max_tokens', BOTH, 'as max_completion_tokens; for completions the default is 16'),
  used('temperature', BOTH, '0 to 2; default 1'),
  used('top_p', BOTH, '0 to 1; default 1'),
  used('seed', BOTH, 'whole number; the same seed gives the same text'),
  used('stop', BOTH, 'one text or a list of at most 4, of 1 to 256 characters'),
  used('stream', BOTH, 'true or false; default false'),
  used('stream_options', BOTH, '{"include_usage": true or false}; only with stream'),
  used('logprobs', BOTH, 'chat: true or false; completions: 0 to 5'),
  used('top_logprobs', CHAT, '0 to 20; only with logprobs'),
  used('top_k', BOTH, 'ours: only the k likeliest tokens; 0 (default) for all'),
  used('min_p', BOTH, 'ours: only tokens this likely, relative to the likeliest; 0 to 1, default 0'),
  used('repetition_penalty', BOTH, 'ours: 0.1 to 10; default 1, which is none'),
  used('route', BOTH, 'ours: "auto", "own" or "network"; default: as the relay is configured'),

  ignored('user', BOTH, 'text', shortText),
  ignored('safety_identifier', CHAT, 'text', shortText),
  ignored('prompt_cache_key', CHAT, 'text', shortText),
  ignored('prompt_cache_retention', CHAT, 'text', shortText),
  ignored('metadata', CHAT, 'at most 16 short texts', smallMetadata),
  ignored('parallel_tool_calls', CHAT, 'true or false', aBoolean),

  neutral('n', BOTH, [1], 'one answer is given per request.'),
  neutral('best_of', COMPLETIONS, [1], 'one answer is computed per request.'),
  neutral('logit_bias', BOTH, [{}], 'tokens cannot be biased.'),
  neutral('presence_penalty', BOTH, [0], 'use repetition_penalty.'),
  neutral('frequency_penalty', BOTH, [0], 'use repetition_penalty.'),
  neutral('response_format', CHAT, [{ type: 'text' }], 'the form of an answer cannot be forced.'),
  neutral('tools', CHAT, [[]], NO_TOOLS),
  neutral('tool_choice', CHAT, ['none', 'auto'], NO_TOOLS),
  neutral('functions', CHAT, [[]], NO_TOOLS),
  neutral('function_call', CHAT, ['none', 'auto'], NO_TOOLS),
  neutral('modalities', CHAT, [['text']], TEXT_ONLY),
  neutral('audio', CHAT, [], TEXT_ONLY),
  neutral('prediction', CHAT, [], 'answers are not predicted.'),
  neutral('web_search_options', CHAT, [], 'this relay does not search the web.'),
  neutral('moderation', CHAT, [], 'this relay does not moderate.'),
  neutral('prompt_cache_options', CHAT, [{}], 'conversations are cached by themselves.'),
  neutral('service_tier', CHAT, ['auto', 'default'], 'there is one tier.'),
  neutral('store', CHAT, [false], 'this relay keeps no answers.'),
  neutral('reasoning_effort', CHAT, ['none'], 'the models of this relay do not take it.'),
  neutral('verbosity', CHAT, ['medium'], 'the models of this relay do not take it.'),
  neutral('echo', COMPLETIONS, [false], 'the prompt is not repeated.'),
  neutral('suffix', COMPLETIONS, [''], 'text is only continued at its end.'),
];
