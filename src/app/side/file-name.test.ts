import { expect, test } from 'vitest';
import { fileName } from './file-name.ts';

test('a title becomes a file name that every system takes', () => {
  expect(fileName('Why do fish swim in shoals?', 'md')).toBe('shoal-why-do-fish-swim-in-shoals.md');
  expect(fileName('../../etc/passwd\0:*?"<>|', 'json')).toBe('shoal-etc-passwd.json');
  expect(fileName('魚の群れ', 'md')).toBe('shoal-魚の群れ.md');
  expect(fileName('???', 'md')).toBe('shoal-conversation.md');
  expect(fileName('🐟'.repeat(10), 'md')).toBe('shoal-conversation.md');
  expect(fileName('long '.repeat(100), 'md').length).toBeLessThan(80);
});
