import { type Conversation, parseConversation } from '../../chat/web.ts';
import { formatBytes } from '../format.ts';
import { FORMAT } from './export.ts';
import { storeWords } from './store-words.ts';

/** Bytes of a file: a hundred times what most people say in years. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_CONVERSATIONS = 1000;

export interface ParsedExport {
  conversations: Conversation[];
  /** How many could not be read, and why the first of them could not. */
  bad: number;
  why: string | null;
}

/** A file that is no export; the message says what was expected. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** @throws ImportError */
export async function readExport(file: File): Promise<ParsedExport> {
  // Before it is read: a wrong choice in the dialog may be a film.
  if (file.size > MOST_BYTES) {
    throw new ImportError(storeWords.fileTooLarge(file.name, formatBytes(MOST_BYTES)));
  }
  return parseExport(file.name, await file.text());
}

/** @throws ImportError */
export function parseExport(name: string, text: string): ParsedExport {
  const { format, conversations } = fieldsOf(jsonOf(text));
  if (format !== FORMAT) {
    const newer = typeof format === 'string' && format.startsWith('shoal-conversations/');
    throw new ImportError(newer ? storeWords.newerExport(name) : storeWords.notAnExport(name));
  }
  if (!Array.isArray(conversations)) throw new ImportError(storeWords.notAnExport(name));
  if (conversations.length > MOST_CONVERSATIONS) {
    throw new ImportError(storeWords.tooMany(name, MOST_CONVERSATIONS));
  }
  const parsed: ParsedExport = { conversations: [], bad: 0, why: null };
  for (const each of conversations as unknown[]) {
    try {
      parsed.conversations.push(parseConversation(withHappenedAsText(each)));
    } catch (error) {
      parsed.bad++;
      parsed.why ??= error instanceof Error ? error.message : String(error);
    }
  }
  return parsed;
}

/** In a file it is an object, for people and programs to read; kept, it is text. */
function withHappenedAsText(conversation: unknown): unknown {
  const { messages } = fieldsOf(conversation);
  if (!Array.isArray(messages)) return conversation;
  return {
    ...(conversation as object),
    messages: messages.map((message: unknown) => {
      const { happened } = fieldsOf(message);
      return typeof happened === 'object' && happened !== null
        ? { ...(message as object), happened: JSON.stringify(happened) }
        : message;
    }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told as any other file that is no export.
    return null;
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
