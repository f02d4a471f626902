import type { ChatMessage } from '../../src/chat/index.ts';
import { isObject, shown, textOf } from './checks.ts';
import { refuse } from './errors.ts';
import { MAX_ENTRIES } from './json.ts';

/** Developer messages are what OpenAI calls system messages of newer models. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};

/**
 * Fields that hold nothing in an answer without tools, audio or refusal: clients send our own answers back as they got
 * them. Each may be null or empty.
 */
const EMPTY_FIELDS = new Set(['refusal', 'audio', 'function_call', 'tool_calls', 'annotations', 'name']);

/** The conversation of a chat request. @throws ApiError 400 that names the message */
export function checkMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    refuse('messages', 'messages must be a list with at least one { role, content }.');
  }
  if (value.length > MAX_ENTRIES) refuse('messages', `messages may have at most ${MAX_ENTRIES} entries.`);
  return value.map((message: unknown, i) => checkMessage(message, `messages[${i}]`));
}

function checkMessage(message: unknown, at: string): ChatMessage {
  if (!isObject(message)) refuse(at, `${at} must be an object { role, content }.`, 'invalid_type');
  const given = message.role;
  const role = typeof given === 'string' && Object.hasOwn(ROLES, given) ? ROLES[given] : undefined;
  if (!role) {
    const known = Object.keys(ROLES).join(', ');
    refuse(`${at}.role`, `${at}.role must be one of ${known}, not ${shown(given)}.`);
  }
  for (const [name, field] of Object.entries(message)) {
    if (name === 'role' || name === 'content') continue;
    const empty = field === null || field === '' || (Array.isArray(field) && field.length === 0);
    if (!EMPTY_FIELDS.has(name) || !empty) {
      refuseField(at, name);
    }
  }
  return { role, content: checkContent(message.content, `${at}.content`) };
}

function checkContent(content: unknown, at: string): string {
  if (!Array.isArray(content)) return textOf(at, content);
  return content.map((part: unknown, i) => checkPart(part, `${at}[${i}]`)).join('');
}

function checkPart(part: unknown, at: string): string {
  if (!isObject(part)) refuse(at, `${at} must be an object { type, text }.`, 'invalid_type');
  if (part.type !== 'text') {
    refuse(
      `${at}.type`,
      `${at}.type must be "text", not ${shown(part.type)}: the models of this relay read text.`,
    );
  }
  for (const name of Object.keys(part)) {
    // A hint that changes no answer; conversations are cached here by themselves.
    if (name === 'type' || name === 'text' || name === 'prompt_cache_breakpoint') continue;
    refuseField(at, name);
  }
  return textOf(`${at}.text`, part.text);
}

function refuseField(at: string, name: string): never {
  // A name may be as long as the body.
  const field = `${at}.${name.slice(0, 64)}`;
  refuse(field, `${field} is not supported.`, 'unsupported_parameter');
}
