import { describe, expect, it } from 'vitest';
import { capacityFor, type Line, lineFor } from './lines.ts';
import type { ChatMessage } from './messages.ts';

const talk = (...contents: string[]): ChatMessage[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
const line = (messages: ChatMessage[], change: Partial<Line> = {}): Line => ({
  cid: 'c',
  privacy: 'private',
  capacity: 512,
  messages,
  usedAt: 0,
  ...change,
});
const need = (messages: ChatMessage[]) => ({ cid: 'c', privacy: 'private', capacity: 512, messages });

describe('which open chain a conversation goes on with', () => {
  const one = line(talk('a', 'b', 'c', 'd'));
  const other = line(talk('x', 'y'));

  it('its own, one turn on or with the last question asked again', () => {
    expect(lineFor([other, one], need(talk('a', 'b', 'c', 'd', 'e')))).toBe(one);
    expect(lineFor([other, one], need(talk('a', 'b', 'c')))).toBe(one);
    expect(lineFor([other, one], need(talk('a', 'b', 'C')))).toBe(one);
  });

  it('none for another conversation, not even one that began alike', () => {
    expect(lineFor([one, other], need(talk('n')))).toBe(null);
    expect(lineFor([one, other], need(talk('a', 'B')))).toBe(null);
  });

  it('none that is of another model, of another privacy, or too short', () => {
    const next = need(talk('x', 'y', 'z'));
    expect(lineFor([line(other.messages as ChatMessage[], { cid: 'd' })], next)).toBe(null);
    expect(lineFor([line(other.messages as ChatMessage[], { privacy: 'light' })], next)).toBe(null);
    expect(lineFor([line(other.messages as ChatMessage[], { capacity: 256 })], next)).toBe(null);
  });
});

it('a session is opened for what the turn needs, with room to grow, and never above the model', () => {
  expect(capacityFor(30, 100, 4096)).toBe(512);
  expect(capacityFor(500, 100, 4096)).toBe(1024);
  expect(capacityFor(5000, 100, 4096)).toBe(4096);
  expect(capacityFor(30, 100, 256)).toBe(256);
  expect(capacityFor(30, undefined, 4096)).toBe(4096);
});
