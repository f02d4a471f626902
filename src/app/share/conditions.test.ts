import { expect, test } from 'vitest';
import { holdOf, withinHours } from './conditions.ts';

const at = (hour: number, minute = 0) => new Date(2026, 5, 15, hour, minute);
const always = { hours: [0, 24] as const, onlyOnPower: false, onlyWhenIdle: false };
const facts = { date: at(12), charging: true, idle: true };

test('hours are half-open, in local time, and go over midnight', () => {
  const hours = (from: number, to: number) =>
    Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => withinHours([from, to], at(hour, 59)));
  const all = Array.from({ length: 24 }, (_, hour) => hour);
  expect(hours(9, 12)).toEqual([9, 10, 11]);
  expect(hours(22, 2)).toEqual([0, 1, 22, 23]);
  expect(hours(20, 24)).toEqual([20, 21, 22, 23]);
  expect(hours(24, 6)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const [from, to] of [
    [0, 24],
    [0, 0],
    [24, 0],
    [8, 8],
  ] as const) {
    expect(hours(from, to)).toEqual(all);
  }
});

test('each limit holds by itself, and the first that does is told', () => {
  expect(holdOf(always, { date: at(3), charging: false, idle: false })).toBe(null);
  expect(holdOf({ ...always, hours: [9, 12] }, facts)).toBe('hours');
  expect(holdOf({ ...always, onlyOnPower: true }, { ...facts, charging: false })).toBe('battery');
  expect(holdOf({ ...always, onlyWhenIdle: true }, { ...facts, idle: false })).toBe('in-use');
  const strict = { hours: [9, 13] as const, onlyOnPower: true, onlyWhenIdle: true };
  expect(holdOf(strict, facts)).toBe(null);
  expect(holdOf(strict, { date: at(13), charging: false, idle: false })).toBe('hours');
});

test('a browser that does not tell about power does not hold lending up', () => {
  expect(holdOf({ ...always, onlyOnPower: true }, { ...facts, charging: null })).toBe(null);
});
