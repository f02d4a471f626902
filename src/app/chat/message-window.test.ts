import { describe, expect, test } from 'vitest';
import { earlier, later, nextWindow, STEP } from './message-window.ts';

describe('a long conversation is drawn in part', () => {
  test('a conversation opens at its newest messages, and goes back in steps to the first', () => {
    let window = nextWindow(null, 'a', 10_000);
    expect(window.from).toBe(10_000 - STEP);
    window = earlier(window);
    expect(window.from).toBe(10_000 - 2 * STEP);
    for (let i = 0; i < 1000; i++) window = earlier(window);
    expect(window.from).toBe(0);
    expect(nextWindow(null, 'a', 3).from).toBe(0);
  });

  test('nothing moves while an answer streams, and seldom when messages come', () => {
    let window = nextWindow(null, 'a', 0);
    let moves = 0;
    for (let count = 1; count <= 1000; count++) {
      const next = nextWindow(window, 'a', count);
      if (next.from !== window.from) moves++;
      expect(count - next.from).toBeLessThanOrEqual(5 * STEP);
      expect(nextWindow(next, 'a', count)).toBe(next);
      window = next;
    }
    expect(moves).toBeLessThan(110);
  });

  test('somebody who comes back to the newest lets go of the old ones, a few at a time', () => {
    const back = earlier(earlier(nextWindow(null, 'a', 500)));
    let window = later(back);
    expect(window.from - back.from).toBeLessThan(STEP);
    for (let i = 0; i < 20; i++) window = later(window);
    expect(window.from).toBe(500 - STEP);
    expect(later(window)).toBe(window);
    expect(later(nextWindow(null, 'a', 3)).from).toBe(0);
  });

  test('what was shown before stays when a shorter branch is chosen, and another conversation begins anew', () => {
    const window = earlier(nextWindow(null, 'a', 500));
    expect(nextWindow(window, 'a', 480).from).toBe(window.from);
    expect(nextWindow(window, 'a', 20).from).toBe(0);
    expect(nextWindow(window, 'b', 500).from).toBe(500 - STEP);
  });
});
