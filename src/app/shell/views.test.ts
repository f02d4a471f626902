import { expect, test } from 'vitest';
import { hrefOf, VIEWS, viewOf } from './views.ts';

test('every view has an address of its own that leads back to it', () => {
  expect(new Set(VIEWS.map(hrefOf)).size).toBe(VIEWS.length);
  for (const view of VIEWS) expect(viewOf(hrefOf(view))).toBe(view);
});

test('an address that names no view shows the chat', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#share', '#/constructor', '#/%00']) {
    expect(viewOf(hash)).toBe('chat');
  }
});
