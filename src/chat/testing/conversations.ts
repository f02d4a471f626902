import type { Conversation, KeptMessage } from '../history.ts';

export function message(id: string, parent: string | null, change: Partial<KeptMessage> = {}): KeptMessage {
  return {
    id,
    parent,
    role: 'user',
    content: `says ${id}`,
    attachments: [],
    createdAt: 1,
    state: 'done',
    error: null,
    happened: null,
    ...change,
  };
}

/** A question and its answer, unless other messages are given. */
export function conversation(
  id: string,
  change: Partial<Conversation> = {},
  messages: KeptMessage[] = [
    message('q', null, { content: 'hi', attachments: [{ name: 'a.txt', text: 'words' }] }),
    message('a', 'q', { role: 'assistant', content: 'hello', createdAt: 2, route: 'in this tab' }),
  ],
): Conversation {
  return {
    id,
    title: `about ${id}`,
    renamed: false,
    pinned: false,
    createdAt: 1,
    updatedAt: 1,
    model: 'SmolLM2',
    head: messages.at(-1)?.id ?? null,
    system: '',
    sampling: { temperature: null, topP: null, maxTokens: null, seed: null },
    count: messages.length,
    messages,
    ...change,
  };
}
