import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type Conversation,
  changedHeader,
  type KeptMessage,
  MAX_MESSAGES,
  parseConversation,
  parseHeader,
} from './history.ts';
import { fromVersion1 } from './migrate.ts';
import { conversation, message } from './testing/conversations.ts';

const refused = expect.objectContaining({ name: 'ChatError', code: 'history' });
const one = conversation('a');
const withMessage = (change: object) => ({ ...one, messages: [{ ...message('m', null), ...change }] });

test.each<[string, unknown]>([
  ['nothing', null],
  ['a list', []],
  ['an empty object', {}],
  ['no id', { ...one, id: '' }],
  ['an id that is a path to nowhere', { ...one, id: 'x'.repeat(129) }],
  ['an enormous title', { ...one, title: 'x'.repeat(1025) }],
  ['a date that is text', { ...one, createdAt: 'x' }],
  ['a date that is no number', { ...one, updatedAt: Number.NaN }],
  ['messages that are text', { ...one, messages: 'x' }],
  ['too many messages', { ...one, messages: new Array(MAX_MESSAGES + 1).fill(message('m', null)) }],
  ['two messages of one id', { ...one, messages: [message('m', null), message('m', null)] }],
  ['sampling that is text', { ...one, sampling: 'hot' }],
  ['a role of its own', withMessage({ role: 'root' })],
  ['a message that is a number', withMessage({ content: 5 })],
  ['a state of its own', withMessage({ state: 'asleep' })],
  ['a parent that is an object', withMessage({ parent: {} })],
  ['an attachment that is a number', withMessage({ attachments: [5] })],
  [
    'more attachments than anybody sends',
    withMessage({ attachments: new Array(33).fill({ name: '', text: '' }) }),
  ],
  ['an error without words', withMessage({ error: { code: 'failed' } })],
])('garbage is refused as a conversation: %s', (_, garbage) => {
  expect(() => parseConversation(garbage)).toThrow(refused);
});

test('a conversation of ten thousand messages is kept', () => {
  const messages = Array.from({ length: 10_000 }, (_, i) => message(`m${i}`, i === 0 ? null : `m${i - 1}`));
  expect(parseConversation({ ...one, messages, head: 'm9999' }).messages).toHaveLength(10_000);
});

test('whatever comes in, either a conversation comes out that is taken again, or a ChatError', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('user', 'done', 'm0', 'm1', null, 1, 0, '', 'a'));
  const id = fc.constantFrom('m0', 'm1', 'm2', 'm3', null);
  const anyMessage = fc.oneof(
    field,
    fc.record({ id, parent: id, role: field, content: field, createdAt: field, state: field, error: field }),
    fc.record({ id, parent: id }).map((change) => ({ ...message('x', null), ...change })),
  );
  const anything = fc.oneof(
    field,
    fc
      .record({ messages: fc.array(anyMessage), head: id, title: field })
      .map((change) => ({ ...one, ...change })),
  );
  fc.assert(
    fc.property(anything, (value) => {
      let parsed: Conversation;
      try {
        parsed = parseConversation(value);
      } catch (error) {
        expect(error).toEqual(refused);
        return;
      }
      expect(parseConversation(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
      expect(rootsOf(parsed.messages)).toBe(true);
    }),
  );
});

/** Whether every message leads up to a first one. */
function rootsOf(messages: readonly KeptMessage[]): boolean {
  const parents = new Map(messages.map(({ id, parent }) => [id, parent]));
  return messages.every(({ id }) => {
    let at: string | null | undefined = id;
    for (let steps = 0; at !== null; steps++) {
      if (at === undefined || steps > messages.length) return false;
      at = parents.get(at);
    }
    return true;
  });
}

it('a change of a header keeps the rest of it, and counts', () => {
  const header = parseHeader(one);
  expect(changedHeader(header, { pinned: true }, 2)).toEqual({
    ...header,
    pinned: true,
    count: header.count + 2,
  });
  const full = { ...header, count: MAX_MESSAGES };
  expect(() => changedHeader(full, {}, 1)).toThrow('too long to be kept');
  expect(changedHeader(full, { title: 'still' }, 0).title).toBe('still');
});

describe('a conversation of version 1', () => {
  const former = {
    id: 'old',
    title: 'about fish',
    createdAt: 1000,
    updatedAt: 5000,
    model: 'SmolLM2',
    messages: [
      { role: 'system', content: 'Be short.' },
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'hello', route: 'in this tab', figures: { tokens_per_second: 20 } },
      { role: 'user', content: 'and?' },
    ],
  };

  it('becomes a tree of one branch that has every word', () => {
    const parsed = parseConversation(fromVersion1(former));
    expect(parsed).toMatchObject({
      id: 'old',
      title: 'about fish',
      system: 'Be short.',
      head: 'v1-2',
      count: 3,
    });
    expect(parsed.messages.map(({ id, parent, role, content }) => [id, parent, role, content])).toEqual([
      ['v1-0', null, 'user', 'hi'],
      ['v1-1', 'v1-0', 'assistant', 'hello'],
      ['v1-2', 'v1-1', 'user', 'and?'],
    ]);
    expect(parsed.messages[1]?.route).toBe('in this tab · tokens per second 20');
  });

  it('that is garbage is refused, not taken for an empty one', () => {
    const migrate = (value: unknown) => parseConversation(fromVersion1(value));
    for (const garbage of [null, 5, {}, { ...former, messages: 5 }, { ...former, messages: [null] }]) {
      expect(() => migrate(garbage)).toThrow();
    }
  });
});
