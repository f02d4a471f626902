import type { ShareLimitsSettings } from '../settings/settings.ts';
import type { Hold } from './types.ts';

/** What is known about the device at a moment. */
export interface Facts {
  /** Local time. */
  date: Date;
  /** Null where the browser does not tell. */
  charging: boolean | null;
  idle: boolean;
}

/** Why the settings do not allow lending now; null when they do. */
export function holdOf(
  { hours, onlyOnPower, onlyWhenIdle }: Pick<ShareLimitsSettings, 'hours' | 'onlyOnPower' | 'onlyWhenIdle'>,
  { date, charging, idle }: Facts,
): Hold | null {
  if (!withinHours(hours, date)) return 'hours';
  // Where the browser does not tell, the limit cannot hold; the page says so.
  if (onlyOnPower && charging === false) return 'battery';
  if (onlyWhenIdle && !idle) return 'in-use';
  return null;
}

/** `[22, 6]` goes over midnight; the same hour twice is the whole day. */
export function withinHours([from, to]: readonly [number, number], date: Date): boolean {
  const hour = date.getHours();
  if (from % 24 === to % 24) return true;
  return from < to ? from <= hour && hour < to : hour >= from || hour < to;
}
