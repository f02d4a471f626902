import type { ListedConversation } from '../chat/types.ts';

export type GroupName = 'pinned' | 'today' | 'yesterday' | 'week' | 'month' | 'earlier';
export interface Group {
  name: GroupName;
  items: readonly ListedConversation[];
}

const ORDER: readonly GroupName[] = ['pinned', 'today', 'yesterday', 'week', 'month', 'earlier'];

/**
 * Conversations under the days on which they were last used, in local time; empty groups are left out.
 * @param now milliseconds since 1970
 */
export function groupsOf(items: readonly ListedConversation[], now: number): Group[] {
  const today = midnight(now, 0);
  const starts: readonly (readonly [GroupName, number])[] = [
    ['today', today],
    ['yesterday', midnight(now, 1)],
    ['week', midnight(now, 7)],
    ['month', midnight(now, 30)],
  ];
  const groups = new Map<GroupName, ListedConversation[]>();
  for (const item of items) {
    const day = starts.find(([, start]) => item.updatedAt >= start)?.[0] ?? 'earlier';
    const name = item.pinned ? 'pinned' : day;
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return ORDER.flatMap((name) => {
    const found = groups.get(name);
    return found ? [{ name, items: found }] : [];
  });
}

/** The beginning of the day some days ago: by the calendar, because a day may have 23 or 25 hours. */
function midnight(now: number, daysAgo: number): number {
  const date = new Date(now);
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() - daysAgo);
  return date.getTime();
}
