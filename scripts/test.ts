/** `npm test`: every check, one after another; `-- --only <step>` runs one. Ends with `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildPage } from '../relay/build.ts';
import { ProgressBar } from '../relay/progress.ts';
import { CATALOGUE } from '../src/model/index.ts';
import { fetchModelFiles } from '../src/model/node.ts';
import { findChromium } from './chromium.ts';
import { type Failure, playwrightFailures, vitestFailures } from './failures.ts';
import { settle, type Tally, tallyPlaywright, tallyVitest } from './tally.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PARTS = ['types', 'lint', 'unit', 'e2e'] as const;
type Part = (typeof PARTS)[number];

interface Step {
  name: string;
  /** Parts that need it. */
  parts: readonly Part[];
  run(): Promise<Tally>;
}

const once = (code: number | null): Tally => settle(code === 0 ? { passed: 1, failed: 0 } : null, code);

/** A step whose success is not a test: only its failure counts. */
async function prepared(work: Promise<unknown>): Promise<Tally> {
  await work;
  return { passed: 0, failed: 0 };
}

/** @param failures takes what failed, to be told again at the end: the output of these steps is long */
function steps(reports: string, failures: Failure[]): Step[] {
  const vitest = join(reports, 'vitest.json');
  const playwright = join(reports, 'playwright.json');
  return [
    { name: 'default model', parts: ['unit', 'e2e'], run: () => prepared(fetchDefaultModel()) },
    {
      name: 'types',
      parts: ['types'],
      run: async () => once(await node('typescript', 'bin/tsc', ['--noEmit'])),
    },
    {
      name: 'lint',
      parts: ['lint'],
      run: async () => once(await node('@biomejs/biome', 'bin/biome', ['check', '.'])),
    },
    {
      name: 'unit and integration',
      parts: ['unit'],
      run: async () => {
        const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitest}`];
        // Some of these start a browser too, and two at once must not both install one.
        const SHOAL_CHROMIUM = await findChromium();
        const code = await node('vitest', 'vitest.mjs', args, { SHOAL_CHROMIUM });
        const result = await report(vitest);
        failures.push(...vitestFailures(result, ROOT));
        return settle(tallyVitest(result), code);
      },
    },
    { name: 'build', parts: ['e2e'], run: () => prepared(buildPage(ROOT)) },
    {
      name: 'real browser',
      parts: ['e2e'],
      run: async () => {
        const SHOAL_CHROMIUM = await findChromium();
        const env = { SHOAL_CHROMIUM, PLAYWRIGHT_JSON_OUTPUT_NAME: playwright };
        const code = await node('@playwright/test', 'cli.js', ['test', '--reporter=list,json'], env);
        const result = await report(playwright);
        failures.push(...playwrightFailures(result));
        return settle(tallyPlaywright(result), code);
      },
    },
  ];
}

async function fetchDefaultModel(): Promise<void> {
  const [entry] = CATALOGUE;
  const bar = new ProgressBar(`Fetching ${entry.name}`);
  const onProgress = ({ done, total }: { done: number; total: number }) => bar.update(done, total);
  await fetchModelFiles(entry, join(ROOT, 'data/models'), { onProgress });
  bar.end();
}

/** Runs a tool of node_modules with its output shown; resolves to its exit code, null when it was killed. */
function node(
  tool: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number | null> {
  const script = join(dirname(createRequire(import.meta.url).resolve(`${tool}/package.json`)), file);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('close', resolve);
  });
}

async function report(path: string): Promise<unknown> {
  // A tool that crashed wrote none, or half of one: that counts as a failure, not as an exception.
  return readFile(path, 'utf8')
    .then(JSON.parse)
    .catch(() => null);
}

function chosenPart(): Part | null {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const part = PARTS.find((name) => name === values.only);
  if (values.only !== undefined && !part)
    throw new Error(`--only takes ${PARTS.join(', ')}, not "${values.only}".`);
  return part ?? null;
}

async function main(): Promise<void> {
  const only = chosenPart();
  const reports = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  const sum: Tally = { passed: 0, failed: 0 };
  const lines: string[] = [];
  const failures: Failure[] = [];
  for (const step of steps(reports, failures)) {
    if (only && !step.parts.includes(only)) continue;
    console.log(`\n── ${step.name}`);
    const start = performance.now();
    const tally = await step.run().catch((error: unknown): Tally => {
      console.error(error instanceof Error ? error.message : error);
      return { passed: 0, failed: 1 };
    });
    sum.passed += tally.passed;
    sum.failed += tally.failed;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    lines.push(
      `${tally.failed === 0 ? 'ok    ' : 'FAILED'} ${step.name}: ${tally.passed} passed, ${tally.failed} failed, ${seconds} s`,
    );
  }
  await rm(reports, { recursive: true, force: true });
  for (const { test, why } of failures) console.log(`\nFAILED ${test}\n${why}`);
  console.log(`\n${lines.join('\n')}\n\n${sum.passed} passed, ${sum.failed} failed`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
