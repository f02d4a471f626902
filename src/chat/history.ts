import { ChatError } from './errors.ts';

export interface KeptAttachment {
  name: string;
  text: string;
}

/** One message as it is kept; the messages of a conversation are a tree, for an edit or a retry adds a sibling. */
export interface KeptMessage {
  id: string;
  /** Null for a first message. */
  parent: string | null;
  role: 'user' | 'assistant';
  content: string;
  attachments: KeptAttachment[];
  /** Milliseconds since 1970. Siblings are in this order. */
  createdAt: number;
  /** `streaming`: the page was left before the answer was done, unless another tab is writing it. */
  state: 'done' | 'streaming' | 'stopped' | 'limit' | 'failed';
  error: { code: string; message: string } | null;
  /** How an answer came about, as JSON, which is not read before somebody looks at it. */
  happened: string | null;
  /** The same in one line, from a page that kept no more. */
  route?: string;
}

/** Sampling of one conversation; null: as the settings say. */
export interface KeptSampling {
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
}

/** A conversation without its messages. */
export interface ConversationHeader {
  id: string;
  title: string;
  /** The title was given by hand. */
  renamed: boolean;
  pinned: boolean;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
  /** Id of the model it was held with last. */
  model: string;
  /** The last message of the branch that is shown. */
  head: string | null;
  /** System prompt, '' for none. */
  system: string;
  sampling: KeptSampling;
  /** Messages on all branches. */
  count: number;
}

export interface Conversation extends ConversationHeader {
  messages: KeptMessage[];
}

/** What may be changed of a header; a tab gives only what it changed itself. */
export type HeaderChange = Partial<Omit<ConversationHeader, 'id' | 'createdAt' | 'count'>>;

export interface Writing {
  /** Added, or put in place of those of the same id. */
  messages?: readonly KeptMessage[];
  /** Ids of messages that go. */
  removed?: readonly string[];
  header?: HeaderChange;
}

/** What changed of one conversation: its header as it is now, and ids of messages that were written or went. */
export interface HistoryChange {
  header: ConversationHeader;
  messages: string[];
  removed: string[];
}

export type HistoryEvent =
  | { kind: 'changed'; changes: HistoryChange[] }
  | { kind: 'removed'; id: string }
  | { kind: 'cleared' };

/** Conversations that outlast a reload. What gives a promise throws ChatError `history`. */
export interface ChatHistory {
  /**
   * How often the store was opened: when that rose, a conversation that is missing was wiped with the whole store by
   * the browser; when it did not, somebody deleted it.
   */
  readonly opened: number;
  /** Newest first. */
  list(): Promise<ConversationHeader[]>;
  /** Null when there is none of this id. A message that cannot be read any more is left out. */
  load(id: string): Promise<Conversation | null>;
  /** Some messages of a conversation, those that are there. */
  read(id: string, messages: readonly string[]): Promise<KeptMessage[]>;
  /**
   * Messages in batches, in no order that means anything.
   * @param after id of the last message of the batch before, null at the beginning
   * @param most messages of the batch; fewer of them: it was the last one
   */
  batch(id: string, after: string | null, most: number): Promise<KeptMessage[]>;
  /** Keeps a whole conversation. @returns false when there is one of this id, which stays as it is */
  add(conversation: Conversation): Promise<boolean>;
  /** The same for many, all of them or, when one fails, none. @returns for each what `add` returns */
  addAll(conversations: readonly Conversation[]): Promise<boolean[]>;
  /**
   * Writes what changed, and nothing else: tabs of one profile keep each other's messages.
   * @returns false when the conversation is not there, and then nothing was written
   */
  write(id: string, writing: Writing): Promise<boolean>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
  /**
   * Tells of changes, those of other tabs too.
   * @param listener `here`: this object made the change. @returns a function that ends it
   */
  subscribe(listener: (event: HistoryEvent, here: boolean) => void): () => void;
  /** Tells others that this message is being written here. @returns a function to call when it is not any more */
  hold(message: string): () => void;
  /** @returns a promise of the end of that when somebody writes this message, null when nobody does */
  writer(message: string): Promise<{ over: Promise<void> } | null>;
}

/** More than anybody says in one conversation, so that a file cannot fill the memory. */
export const MAX_MESSAGES = 32_768;
/** Longest conversation in UTF-16 units: some hundred times the largest context in use. */
const MAX_LENGTH = 1 << 26;
const MAX_ID = 128;
const MAX_NAME = 1024;
const MAX_ATTACHMENTS = 32;
const MAX_SYSTEM = 1 << 20;
/** UTF-16 units of a `happened`; the page keeps a tenth of it. */
const MAX_HAPPENED = 1 << 19;
const STATES: ReadonlySet<unknown> = new Set(['done', 'streaming', 'stopped', 'limit', 'failed']);

/**
 * Checks a conversation that came from outside (a file, or what another version of the page has written), and mends its
 * tree: a message whose parent is missing, or is itself below it, becomes a first one.
 * @throws ChatError `history` that says what is wrong
 */
export function parseConversation(value: unknown): Conversation {
  const { messages, ...rest } = object(value, 'it is not an object');
  if (!Array.isArray(messages) || messages.length > MAX_MESSAGES) refuse('its messages are no list');
  const header = parseHeader({ ...rest, count: messages.length });
  const kept = messages.map(parseMessage);
  if (new Set(kept.map(({ id }) => id)).size < kept.length) refuse('two of its messages have one id');
  if (kept.reduce((sum, message) => sum + lengthOf(message), header.system.length) > MAX_LENGTH) {
    refuse('it is too long');
  }
  mend(kept);
  if (!kept.some(({ id }) => id === header.head)) header.head = null;
  return { ...header, messages: kept };
}

/** @throws ChatError `history` */
export function parseHeader(value: unknown): ConversationHeader {
  const given = object(value, 'it is not an object');
  const { id, title, renamed, pinned, createdAt, updatedAt, model, head, system, sampling, count } = given;
  if (!isId(id)) refuse('it has no id');
  if (!isText(title, MAX_NAME)) refuse('it has no title');
  if (!isText(model, MAX_NAME)) refuse('it names no model');
  if (!isTime(createdAt) || !isTime(updatedAt)) refuse('its dates are no dates');
  if (system !== undefined && !isText(system, MAX_SYSTEM)) refuse('its system prompt is not text');
  return {
    id,
    title,
    renamed: renamed === true,
    pinned: pinned === true,
    createdAt,
    updatedAt,
    model,
    head: isId(head) ? head : null,
    system: system ?? '',
    sampling: parseSampling(sampling),
    count: Number.isSafeInteger(count) ? Math.max(0, Number(count)) : 0,
  };
}

/** @throws ChatError `history` */
export function parseMessage(value: unknown): KeptMessage {
  const given = object(value, 'a message is not an object');
  const { id, parent, role, content, attachments, createdAt, state, error, happened, route } = given;
  if (!isId(id)) refuse('a message has no id');
  if (parent !== null && !isId(parent)) refuse('a message has no parent');
  if (role !== 'user' && role !== 'assistant') refuse('a message has no role');
  if (!isText(content, MAX_LENGTH)) refuse('a message is not text');
  if (!isTime(createdAt)) refuse('a message has no date');
  if (!STATES.has(state)) refuse('a message has no state');
  if (attachments !== undefined && (!Array.isArray(attachments) || attachments.length > MAX_ATTACHMENTS)) {
    refuse('the attachments of a message are no list');
  }
  const message: KeptMessage = {
    id,
    parent,
    role,
    content,
    attachments: (attachments ?? []).map(parseAttachment),
    createdAt,
    state: state as KeptMessage['state'],
    error: parseError(error),
    // It explains an answer; without it the answer is still there.
    happened: isText(happened, MAX_HAPPENED) ? happened : null,
  };
  if (typeof route === 'string') message.route = route.slice(0, MAX_NAME);
  return message;
}

/** A header after a change, with so many messages more. @throws ChatError `history` when it gets too long */
export function changedHeader(
  former: ConversationHeader,
  change: HeaderChange,
  more: number,
): ConversationHeader {
  const header = parseHeader({ ...former, ...change, count: former.count + more });
  if (more > 0 && header.count > MAX_MESSAGES) {
    throw new ChatError(
      'history',
      'This conversation has become too long to be kept. Start a new chat for what comes next.',
    );
  }
  return header;
}

/** What can still be read of records: one that went bad does not take the others with it. */
export function messagesOf(values: readonly unknown[]): KeptMessage[] {
  return values.flatMap(readable(parseMessage));
}

/** Gives a list of one, or of none when it cannot be parsed. */
export function readable<T>(parse: (value: unknown) => T): (value: unknown) => T[] {
  return (value) => {
    try {
      return [parse(value)];
    } catch {
      return [];
    }
  };
}

/** The order of siblings, the same in every tab. */
export function byAge(
  a: Pick<KeptMessage, 'createdAt' | 'id'>,
  b: Pick<KeptMessage, 'createdAt' | 'id'>,
): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Makes a tree of messages whose parents were lost, or point in a circle. */
function mend(messages: readonly KeptMessage[]): void {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const safe = new Set<string>();
  for (const first of messages) {
    const way = new Set<string>();
    for (let at: KeptMessage | undefined = first; at && !safe.has(at.id); at = byId.get(at.parent ?? '')) {
      way.add(at.id);
      if (at.parent !== null && (!byId.has(at.parent) || way.has(at.parent))) at.parent = null;
    }
    for (const id of way) safe.add(id);
  }
}

function parseAttachment(value: unknown): KeptAttachment {
  const { name, text } = object(value, 'an attachment is not an object');
  if (!isText(name, MAX_NAME) || !isText(text, MAX_LENGTH)) refuse('an attachment is not text');
  return { name, text };
}

function parseSampling(value: unknown): KeptSampling {
  const { temperature, topP, maxTokens, seed } =
    value === undefined ? {} : object(value, 'its sampling is not an object');
  return {
    temperature: numberIn(temperature, 0, 2),
    topP: numberIn(topP, 0, 1),
    maxTokens: numberIn(maxTokens, 1, 1_000_000, true),
    seed: numberIn(seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
  };
}

function parseError(value: unknown): KeptMessage['error'] {
  if (value === undefined || value === null) return null;
  const { code, message } = object(value, 'the error of a message is not an object');
  if (!isText(code, MAX_ID) || typeof message !== 'string') refuse('the error of a message is not text');
  return { code, message: message.slice(0, 4 * MAX_NAME) };
}

function lengthOf({ content, attachments }: KeptMessage): number {
  return attachments.reduce((sum, { name, text }) => sum + name.length + text.length, content.length);
}

function object(value: unknown, why: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(why);
  return value as Record<string, unknown>;
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

function isId(value: unknown): value is string {
  return isText(value, MAX_ID) && value !== '';
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8.64e15;
}

function numberIn(value: unknown, low: number, high: number, whole = false): number | null {
  if (typeof value !== 'number' || !(value >= low && value <= high)) return null;
  return whole && !Number.isInteger(value) ? null : value;
}

function refuse(why: string): never {
  throw new ChatError(
    'history',
    `This is not a conversation that can be kept: ${why}. Choose a file that was exported here.`,
  );
}
