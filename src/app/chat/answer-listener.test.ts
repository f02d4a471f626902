import { describe, expect, test } from 'vitest';
import { AnswerListener } from './answer-listener.ts';
import type { MessageState, ThreadMessage } from './types.ts';
import { chatWords } from './words.ts';

function message(id: string, content: string, state: MessageState): ThreadMessage {
  const rest = { parent: null, attachments: [], error: null, happened: null, createdAt: 0 };
  return { id, role: 'assistant', content, state, ...rest };
}
const question: ThreadMessage = { ...message('q', 'Why?', 'done'), role: 'user' };
const hear = (listener: AnswerListener, ...messages: ThreadMessage[]) =>
  listener.hear({ messages }, chatWords.spoken);

describe('a screen reader hears an answer once', () => {
  test('sentence by sentence, and nothing again at the end', () => {
    const listener = new AnswerListener({ messages: [] });
    expect(hear(listener, question, message('a', '', 'waiting'))).toEqual([]);
    expect(hear(listener, question, message('a', 'The sea', 'streaming'))).toEqual([]);
    expect(hear(listener, question, message('a', 'The sea is deep. It', 'streaming'))).toEqual([
      'Shoal: The sea is deep.',
    ]);
    const done = message('a', 'The sea is deep. It is blue', 'done');
    expect(hear(listener, question, done)).toEqual(['It is blue']);
    expect(hear(listener, question, done)).toEqual([]);
  });

  test('a conversation that is opened is not read out', () => {
    const listener = new AnswerListener({ messages: [message('a', 'Old.', 'done')] });
    expect(hear(listener, message('b', 'Another. ', 'done'))).toEqual([]);
    expect(hear(listener)).toEqual([]);
  });

  test('an answer that goes on is told from where it was left', () => {
    const listener = new AnswerListener({ messages: [] });
    hear(listener, message('a', '', 'waiting'));
    expect(hear(listener, message('a', 'One. Two', 'stopped'))).toEqual(['Shoal: One.', 'Two', 'Stopped.']);
    expect(hear(listener, message('a', 'One. Two', 'waiting'))).toEqual([]);
    expect(hear(listener, message('a', 'One. Two and more. ', 'streaming'))).toEqual(['Shoal: and more.']);
  });

  test('an answer in the place of another is told whole', () => {
    const listener = new AnswerListener({ messages: [message('a', 'First answer.', 'done')] });
    expect(hear(listener, message('b', 'Second. ', 'streaming'))).toEqual(['Shoal: Second.']);
  });
});
