import { expect, it } from 'vitest';
import { settle, tallyPlaywright, tallyVitest } from './tally.ts';

it('counts tests of Vitest, and a file that does not load as one failure', () => {
  const tests = (...statuses: string[]) => statuses.map((status) => ({ status }));
  const report = {
    testResults: [
      { status: 'passed', assertionResults: tests('passed', 'passed', 'skipped') },
      { status: 'failed', assertionResults: tests('passed', 'failed') },
      { status: 'failed', assertionResults: [] },
    ],
  };
  expect(tallyVitest(report)).toEqual({ passed: 3, failed: 2 });
  for (const junk of [null, 7, {}, { testResults: 'x' }]) expect(tallyVitest(junk)).toBeNull();
});

it('counts tests of Playwright; a flaky one has failed', () => {
  const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 2 };
  expect(tallyPlaywright({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 3 });
  for (const junk of [null, {}, { stats: {} }]) expect(tallyPlaywright(junk)).toBeNull();
});

it('a step that crashed or ran nothing has failed', () => {
  expect(settle({ passed: 4, failed: 0 }, 0)).toEqual({ passed: 4, failed: 0 });
  expect(settle({ passed: 4, failed: 2 }, 1)).toEqual({ passed: 4, failed: 2 });
  expect(settle({ passed: 4, failed: 0 }, 1)).toEqual({ passed: 4, failed: 1 });
  expect(settle({ passed: 0, failed: 0 }, 0)).toEqual({ passed: 0, failed: 1 });
  expect(settle(null, null)).toEqual({ passed: 0, failed: 1 });
});
