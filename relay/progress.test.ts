import { expect, it } from 'vitest';
import { formatBytes, ProgressBar } from './progress.ts';

it('sizes read as a person would say them', () => {
  expect([0, 999, 1000, 98_362_432, 7_400_000_000].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '98.4 MB',
    '7.4 GB',
  ]);
});

it('a terminal sees one bar that moves', () => {
  let text = '';
  let time = 0;
  const bar = new ProgressBar('Model', { isTTY: true, write: (part) => (text += part) }, () => time);
  for (; time <= 1000; time += 10) bar.update(time, 1000);
  bar.end();
  expect(text.split('\r').length).toBeLessThan(15);
  expect(text).toContain('100 %  1 kB of 1 kB');
  expect(text.endsWith('\n')).toBe(true);
  expect(text.match(/\n/g)).toHaveLength(1);
});

it('a log file gets a few plain lines, the last one at 100 % once', () => {
  const lines: string[] = [];
  let time = 0;
  const bar = new ProgressBar('Model', { write: (part) => lines.push(part) }, () => time);
  for (; time <= 12_000; time += 100) bar.update(time, 12_000);
  bar.update(12_000, 12_000);
  bar.end();
  expect(lines).toEqual([
    'Model: 0 % (0 B of 12.0 kB)\n'.replace('12.0', '12'),
    'Model: 41 % (5 kB of 12 kB)\n',
    'Model: 83 % (10 kB of 12 kB)\n',
    'Model: 100 % (12 kB of 12 kB)\n',
  ]);
});
