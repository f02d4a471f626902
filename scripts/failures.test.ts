import { expect, it } from 'vitest';
import { playwrightFailures, vitestFailures } from './failures.ts';

it('names the tests of Vitest that failed, and files that do not load, with what was said of them', () => {
  const report = {
    testResults: [
      {
        name: '/shoal/src/a.test.ts',
        status: 'passed',
        assertionResults: [{ status: 'passed', fullName: 'fine' }],
      },
      {
        name: '/shoal/src/b.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'fine' },
          {
            status: 'failed',
            fullName: 'a relay stops',
            failureMessages: ['\u001b[31mexpected 1 to be 0\u001b[39m\n at b'],
          },
        ],
      },
      { name: '/shoal/src/c.test.ts', status: 'failed', message: 'Cannot find d.ts', assertionResults: [] },
    ],
  };
  expect(vitestFailures(report, '/shoal')).toEqual([
    { test: 'src/b.test.ts > a relay stops', why: 'expected 1 to be 0\n at b' },
    { test: 'src/c.test.ts', why: 'Cannot find d.ts' },
  ]);
  const long = { name: '/shoal/d', status: 'failed', message: 'line\n'.repeat(99) };
  expect(vitestFailures({ testResults: [long] }, '/shoal')[0]?.why.split('\n')).toHaveLength(16);
  for (const junk of [null, 7, {}, { testResults: [null] }])
    expect(vitestFailures(junk, '/shoal')).toEqual([]);
});

it('names the tests of Playwright that failed, in any suite, and errors outside of them', () => {
  const spec = (title: string, ok: boolean, message: string) => ({
    title,
    ok,
    file: 'side.spec.ts',
    line: 56,
    tests: [{ results: [{ errors: ok ? [] : [{ message }] }] }],
  });
  const report = {
    suites: [
      {
        specs: [spec('fine', true, '')],
        suites: [{ specs: [spec('is found', false, '\u001b[2mTimed out\u001b[22m')] }],
      },
    ],
    errors: [{ message: 'The relay did not start.' }],
  };
  expect(playwrightFailures(report)).toEqual([
    { test: 'side.spec.ts:56 > is found', why: 'Timed out' },
    { test: 'outside any test', why: 'The relay did not start.' },
  ]);
  for (const junk of [null, 'x', { suites: 3 }]) expect(playwrightFailures(junk)).toEqual([]);
});
