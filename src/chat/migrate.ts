import type { Conversation, KeptMessage } from './history.ts';

/** A conversation as version 1 of the database kept it: one record, a list of messages. */
interface Former {
  id: string;
  title: string;
  createdAt: number;
  updatedAt: number;
  model: string;
  messages: { role: string; content: string; route?: string; figures?: Record<string, number> }[];
}

/**
 * Makes a conversation of version 1 one of today: the list becomes a tree of one branch. No word of it is lost.
 * @param value as version 1 checked and wrote it; of anything else the result is to be checked, or it throws
 */
export function fromVersion1(value: unknown): Conversation {
  const { messages, ...header } = value as Former;
  const [first, ...rest] = messages;
  const prompted = first?.role === 'system';
  const kept = (prompted ? rest : messages).map(
    ({ role, content, route, figures }, index): KeptMessage => ({
      id: idOf(index),
      parent: index === 0 ? null : idOf(index - 1),
      role: role === 'assistant' ? 'assistant' : 'user',
      content,
      attachments: [],
      // Version 1 kept no times of messages; these keep their order.
      createdAt: header.createdAt + index,
      // An answer was kept when its first word was there, or when it had none.
      state: content === '' ? 'stopped' : 'done',
      error: null,
      happened: null,
      ...withRoute(route, figures),
    }),
  );
  return {
    ...header,
    renamed: false,
    pinned: false,
    head: kept.at(-1)?.id ?? null,
    system: prompted ? first.content : '',
    sampling: { temperature: null, topP: null, maxTokens: null, seed: null },
    count: kept.length,
    messages: kept,
  };
}

function idOf(index: number): string {
  return `v1-${index}`;
}

function withRoute(route: string | undefined, figures: Record<string, number> = {}): { route?: string } {
  const parts = Object.entries(figures).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  const line = [...(route ? [route] : []), ...parts].join(' · ');
  return line ? { route: line } : {};
}
