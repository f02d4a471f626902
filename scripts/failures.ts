import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** A test that failed. */
export interface Failure {
  test: string;
  /** What the runner said of it, without colours. */
  why: string;
}

/** Lines of a reason that are worth repeating at the end: what was expected, what came, and where. */
const MOST_LINES = 16;

/** Out of Vitest's JSON report; names of files are told from this folder on. */
export function vitestFailures(report: unknown, root: string): Failure[] {
  return list(record(report).testResults).flatMap((file) => {
    const { name, status, message, assertionResults } = record(file);
    const path = relative(root, String(name));
    const failed = list(assertionResults)
      .map(record)
      .filter((test) => test.status === 'failed')
      .map((test) => failure(`${path} > ${test.fullName}`, list(test.failureMessages).join('\n')));
    return failed.length === 0 && status === 'failed' ? [failure(path, message)] : failed;
  });
}

/** Out of Playwright's JSON report. */
export function playwrightFailures(report: unknown): Failure[] {
  const outside = list(record(report).errors).map((error) =>
    failure('outside any test', record(error).message),
  );
  return [...list(record(report).suites).flatMap(suiteFailures), ...outside];
}

function suiteFailures(suite: unknown): Failure[] {
  const specs = list(record(suite).specs).map(record);
  const failed = specs
    .filter(({ ok }) => ok === false)
    .map(({ file, line, title, tests }) => {
      const results = list(tests).flatMap((test) => list(record(test).results));
      const errors = results.flatMap((result) => list(record(result).errors));
      return failure(`${file}:${line} > ${title}`, errors.map((error) => record(error).message).join('\n'));
    });
  return [...failed, ...list(record(suite).suites).flatMap(suiteFailures)];
}

function failure(test: string, why: unknown): Failure {
  const lines = stripVTControlCharacters(String(why ?? ''))
    .trim()
    .split('\n');
  return { test, why: lines.slice(0, MOST_LINES).join('\n') };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
