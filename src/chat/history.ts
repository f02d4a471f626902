import { ChatError } from './errors.ts';
import type { ChatRole } from './messages.ts';

/** A message as it is kept: an answer also has the route that gave it. */
export interface KeptMessage {
  role: ChatRole;
  content: string;
  /** Which route answered, as the page shows it. */
  route?: string;
  /** Figures the page shows under an answer, such as tokens per second. */
  figures?: Record<string, number>;
}

export interface Conversation {
  id: string;
  title: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
  /** Id of the model it was held with. */
  model: string;
  messages: KeptMessage[];
}

/** A conversation without its messages. */
export type ConversationSummary = Omit<Conversation, 'messages'>;

/** Conversations that outlast a reload. */
export interface ChatHistory {
  /** Newest first. */
  list(): Promise<ConversationSummary[]>;
  /** Null when there is none of this id. */
  load(id: string): Promise<Conversation | null>;
  /** Writes this conversation only: two tabs of one profile keep each other's. Throws ChatError `history`. */
  save(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

/** Longest conversation kept, in UTF-16 units: some hundred times the largest context in use. */
const MAX_LENGTH = 1 << 26;
const MAX_MESSAGES = 4096;
const ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);

/**
 * Checks a conversation that came from outside (a file, or what another version of the page has written).
 * @throws ChatError `history` that says what is wrong
 */
export function parseConversation(value: unknown): Conversation {
  const { id, title, createdAt, updatedAt, model, messages } = object(value, 'it is not an object');
  if (typeof id !== 'string' || id === '' || id.length > 128) refuse('it has no id');
  if (typeof title !== 'string' || title.length > 1024) refuse('it has no title');
  if (typeof model !== 'string' || model.length > 1024) refuse('it names no model');
  if (!isTime(createdAt) || !isTime(updatedAt)) refuse('its dates are no dates');
  if (!Array.isArray(messages) || messages.length > MAX_MESSAGES) refuse('its messages are no list');
  const kept = messages.map(parseMessage);
  if (kept.reduce((sum, message) => sum + message.content.length, 0) > MAX_LENGTH) refuse('it is too long');
  return { id, title, createdAt, updatedAt, model, messages: kept };
}

function parseMessage(value: unknown): KeptMessage {
  const { role, content, route, figures } = object(value, 'a message is not an object');
  if (!ROLES.has(role)) refuse('a message has no role');
  if (typeof content !== 'string') refuse('a message is not text');
  const message: KeptMessage = { role: role as ChatRole, content };
  if (typeof route === 'string') message.route = route.slice(0, 1024);
  if (figures !== undefined) {
    const entries = Object.entries(object(figures, 'the figures of a message are no object')).slice(0, 64);
    message.figures = Object.fromEntries(
      entries.filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
    );
  }
  return message;
}

function object(value: unknown, why: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(why);
  return value as Record<string, unknown>;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8.64e15;
}

function refuse(why: string): never {
  throw new ChatError(
    'history',
    `This is not a conversation that can be kept: ${why}. Choose a file that was exported here.`,
  );
}
