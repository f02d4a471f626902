import { expect, test } from 'vitest';
import type { ListedConversation } from '../chat/types.ts';
import { groupsOf } from './groups.ts';

const NOW = new Date(2026, 2, 30, 9, 0).getTime();

function item(id: string, updatedAt: number, pinned = false): ListedConversation {
  return { id, title: id, pinned, updatedAt, messages: 2 };
}

test('conversations stand under the day they were last used, pinned ones first', () => {
  const items = [
    item('kept at hand', new Date(2020, 0, 1).getTime(), true),
    item('a minute ago', NOW - 60_000),
    item('this midnight', new Date(2026, 2, 30, 0, 0).getTime()),
    item('late yesterday', new Date(2026, 2, 29, 23, 59).getTime()),
    item('a week ago', new Date(2026, 2, 23, 12).getTime()),
    item('this month', new Date(2026, 2, 3).getTime()),
    item('long ago', new Date(2025, 5, 1).getTime()),
  ];
  const groups = groupsOf(items, NOW).map(({ name, items }) => [name, items.map(({ id }) => id)]);
  expect(groups).toEqual([
    ['pinned', ['kept at hand']],
    ['today', ['a minute ago', 'this midnight']],
    ['yesterday', ['late yesterday']],
    ['week', ['a week ago']],
    ['month', ['this month']],
    ['earlier', ['long ago']],
  ]);
});

test('a clock that was ahead loses nothing, and no conversation makes no group', () => {
  expect(groupsOf([item('from tomorrow', NOW + 86_400_000)], NOW)).toMatchObject([{ name: 'today' }]);
  expect(groupsOf([], NOW)).toEqual([]);
});
