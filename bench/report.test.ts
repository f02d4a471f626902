import { expect, test } from 'vitest';
import { replaceReport } from './report.ts';
import { markdown, verdict } from './table.ts';

const PAGE =
  'before\n<!-- bench: written by `npm run bench`, from here -->\nold\n<!-- bench: to here -->\nafter\n';

test('a new report replaces the old one and keeps what people wrote around it', () => {
  const page = replaceReport(replaceReport(PAGE, 'first'), 'second');
  expect(page).toContain('second');
  expect(page).not.toContain('first');
  expect(page).not.toContain('old');
  expect(page.startsWith('before\n') && page.endsWith('after\n')).toBe(true);
});

test('a page without its marks is refused, not overwritten', () => {
  expect(() => replaceReport('notes', 'report')).toThrow(/marks/);
});

test('a table says whether a target is met', () => {
  expect(verdict(1.6, 'at least', 1.5)).toBe('≥ 1.5: met');
  expect(verdict(2.3, 'at most', 2.2)).toBe('≤ 2.2: missed');
  const text = markdown({ title: 'T', header: ['a', 'b'], rows: [['1', '22222']], notes: ['n'] });
  expect(text.split('\n')).toEqual([
    '### T',
    '',
    '| a   | b     |',
    '| --- | ----- |',
    '| 1   | 22222 |',
    '',
    '- n',
  ]);
});
