import { ChatError } from './errors.ts';

export type ChatRole = 'system' | 'user' | 'assistant' | 'tool';

/** One message of a conversation. */
export interface ChatMessage {
  role: ChatRole;
  content: string;
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool']);
/** Most messages of one conversation. */
const MAX_MESSAGES = 4096;
const MAX_STOPS = 16;
const MAX_STOP_LENGTH = 256;

/** @throws ChatError `bad-request` always */
export function badRequest(message: string): never {
  throw new ChatError('bad-request', message);
}

/**
 * OpenAI's `messages`: content is text, or a list of parts of type "text".
 * @throws ChatError `bad-request` that names the message
 */
export function parseMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0)
    badRequest('"messages" must be a list of at least one message.');
  if (value.length > MAX_MESSAGES)
    badRequest(`"messages" has ${value.length} entries; at most ${MAX_MESSAGES}.`);
  return value.map((entry: unknown, index) => {
    const { role, content } = (entry ?? {}) as { role?: unknown; content?: unknown };
    if (typeof role !== 'string' || !ROLES.has(role)) {
      badRequest(`"messages[${index}].role" must be one of ${[...ROLES].join(', ')}.`);
    }
    return { role: role as ChatRole, content: contentText(content, index) };
  });
}

function contentText(content: unknown, index: number): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) badRequest(`"messages[${index}].content" must be text.`);
  return content
    .map((part: { type?: unknown; text?: unknown } | null) => {
      if (part?.type === 'text' && typeof part.text === 'string') return part.text;
      return badRequest(
        `"messages[${index}].content" may hold parts of type "text" only: this model reads text.`,
      );
    })
    .join('');
}

/**
 * OpenAI's `stop`: one string or a list.
 * @throws ChatError `bad-request`
 */
export function parseStop(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  if (stops.length > MAX_STOPS) badRequest(`"stop" has ${stops.length} strings; at most ${MAX_STOPS}.`);
  return stops.map((stop) => {
    if (typeof stop !== 'string' || stop === '' || stop.length > MAX_STOP_LENGTH) {
      badRequest(`"stop" must be text of 1 to ${MAX_STOP_LENGTH} characters, or a list of such texts.`);
    }
    return stop;
  });
}

/**
 * OpenAI's `max_tokens`.
 * @throws ChatError `bad-request`
 */
export function parseMaxTokens(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1_000_000) {
    badRequest('"max_tokens" must be a whole number from 1 to 1000000.');
  }
  return value;
}
