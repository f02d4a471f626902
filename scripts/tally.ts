/** Tests of one step. */
export interface Tally {
  passed: number;
  failed: number;
}

/**
 * Counts in Vitest's JSON report. A file that could not be loaded has no tests but is marked as failed: it counts
 * as one. Null when this is no report.
 */
export function tallyVitest(report: unknown): Tally | null {
  if (!isRecord(report) || !Array.isArray(report.testResults)) return null;
  const tally = { passed: 0, failed: 0 };
  for (const file of report.testResults) {
    if (!isRecord(file)) continue;
    const tests = Array.isArray(file.assertionResults) ? file.assertionResults : [];
    const failed = tests.filter((test) => isRecord(test) && test.status === 'failed').length;
    tally.passed += tests.filter((test) => isRecord(test) && test.status === 'passed').length;
    tally.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
  }
  return tally;
}

/** Counts in Playwright's JSON report; errors outside any test count as failures. Null when this is no report. */
export function tallyPlaywright(report: unknown): Tally | null {
  if (!isRecord(report) || !isRecord(report.stats)) return null;
  const { expected, unexpected, flaky } = report.stats;
  if (typeof expected !== 'number' || typeof unexpected !== 'number' || typeof flaky !== 'number')
    return null;
  const errors = Array.isArray(report.errors) ? report.errors.length : 0;
  return { passed: expected, failed: unexpected + flaky + errors };
}

/**
 * What a step is worth in the sum: its tests, and one failure more when it crashed without saying which test
 * failed, or ran no test at all.
 */
export function settle(tally: Tally | null, exitCode: number | null): Tally {
  const { passed, failed } = tally ?? { passed: 0, failed: 0 };
  const silent = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: silent ? 1 : failed };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
