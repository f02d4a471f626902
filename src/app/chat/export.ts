import type { Conversation } from '../../chat/web.ts';
import { formatProvenance } from '../format.ts';
import { parseHappened } from './happened.ts';
import { fromKept } from './kept.ts';
import { withAttachments } from './request.ts';
import { storeWords } from './store-words.ts';
import { Tree } from './tree.ts';
import type { ThreadMessage } from './types.ts';

/** Name and version of the file; a change that an older page would misread gets a new number. */
export const FORMAT = 'shoal-conversations/1';

/** A JSON file of conversations, made piece by piece: all of them in one text may be more than a tab takes. */
export class JsonExport {
  readonly #parts: string[] = [
    `{"format":${JSON.stringify(FORMAT)},"exportedAt":${JSON.stringify(new Date().toISOString())},"conversations":[\n`,
  ];
  #any = false;

  add({ count: _, ...conversation }: Conversation): void {
    const messages = conversation.messages.map(({ happened, ...message }) => ({
      ...message,
      happened: parseHappened(happened),
    }));
    this.#parts.push(this.#any ? ',\n' : '', JSON.stringify({ ...conversation, messages }));
    this.#any = true;
  }

  done(): Blob {
    return new Blob([...this.#parts, '\n]}\n'], { type: 'application/json' });
  }
}

/** A conversation along the branch that is shown, to read or to print. What was said is not changed by a sign. */
export function markdownOf({ title, system, head, messages }: Conversation): string {
  const tree = new Tree(messages.map(fromKept));
  const parts = [`# ${title.replace(/\s+/g, ' ').trim() || storeWords.untitled}`];
  if (system.trim()) parts.push(`## ${storeWords.systemPrompt}`, system);
  for (const message of tree.path(tree.newest(head))) {
    parts.push(`## ${message.role === 'user' ? storeWords.you : storeWords.shoal}`);
    const said = withAttachments(message.content, message.attachments);
    if (said) parts.push(said);
    const notes = notesOf(message);
    if (notes) parts.push(`*${notes}*`);
  }
  return `${parts.join('\n\n')}\n`;
}

function notesOf({ role, state, happened, route }: ThreadMessage): string {
  if (role === 'user') return '';
  const line = happened ? formatProvenance({ ...happened, token_ids: [] }, backendOf(happened)) : route;
  return [line, state === 'done' ? '' : storeWords.unfinished].filter(Boolean).join(' · ');
}

type Backend = Parameters<typeof formatProvenance>[1];

function backendOf({ backend }: { backend: string | null }): Backend {
  return backend as Backend;
}
