/**
 * `npm run cuda:check`: whether layers run right on this machine's GPUs, and how fast. The same bounds as the tests on
 * the CPU, which compute in the same graphs. Ends with 0 when all is right, 1 when numbers are wrong, 2 without CUDA.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectCuda } from '../relay/hosting/cuda.ts';
import { ProgressBar } from '../relay/progress.ts';
import type { Engine, LoadOptions, Precision } from '../src/engine/index.ts';
import { loadEngine } from '../src/engine/node.ts';
import { type Agreement, agreement } from '../src/engine/testing/agreement.ts';
import { DEFAULT_PROMPTS, openDefaultModel } from '../src/engine/testing/default-model.ts';
import { FIXTURES, openFixture } from '../src/engine/testing/fixtures.ts';
import { CATALOGUE } from '../src/model/index.ts';
import { fetchModelFiles } from '../src/model/node.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Relative RMS of the logits: float32 on the CPU differs by 2e-6 between two graphs, float16 by 2e-3. */
const LIMITS: Record<Precision, { fixture: number; model: number }> = {
  float32: { fixture: 1e-4, model: 1e-4 },
  float16: { fixture: 5e-3, model: 1e-2 },
};
/** A token may differ only where two were nearly equal: share of the distance from the best logit to the mean. */
const NEAR_TIE = 0.01;
/** Sessions that decode together, for the speed. */
const BATCH = 8;
const STEPS = 64;

let wrong = 0;

function tell(name: string, found: Agreement, limit: number): void {
  const right = found.rms <= limit && found.gaps.every((gap) => gap <= NEAR_TIE);
  if (!right) wrong++;
  console.log(
    `${right ? 'ok    ' : 'WRONG '} ${name}: ${found.same} of ${found.positions} tokens, relative RMS ${found.rms.toExponential(1)} (allowed ${limit.toExponential(0)}), worst ${found.worst.toExponential(1)}`,
  );
}

async function compare(
  name: string,
  model: Pick<LoadOptions, 'manifest' | 'slice' | 'weights' | 'maxTokens'>,
  prompts: readonly (readonly number[])[],
  device: string,
  size: 'fixture' | 'model',
): Promise<void> {
  const reference = await loadEngine({ ...model, backends: ['node-cpu'], measure: false });
  for (const precision of ['float32', 'float16'] as const) {
    const engine = await loadEngine({ ...model, backends: ['node-cuda'], device, precision });
    tell(`${name}, ${precision}`, await agreement(reference, engine, prompts, 24), LIMITS[precision][size]);
    if (size === 'model') await speed(engine);
    await engine.dispose();
  }
  await reference.dispose();
}

async function speed(engine: Engine): Promise<void> {
  const one = await stepMs(engine, 1);
  const many = await stepMs(engine, BATCH);
  const prefill = engine.info.speed!.prefillMsPerToken;
  console.log(
    `       prefill ${Math.round(1000 / prefill)} tokens/s; decode ${Math.round(1000 / one)} tokens/s alone, ${Math.round((BATCH * 1000) / many)} of ${BATCH} together`,
  );
}

/** Milliseconds of one decode step of so many sessions. */
async function stepMs(engine: Engine, sessions: number): Promise<number> {
  const ids: number[] = [];
  for (let at = 0; at < sessions; at++) {
    const id = await engine.open();
    ids.push(id);
    await engine.forward(id, { tokens: DEFAULT_PROMPTS[at % DEFAULT_PROMPTS.length]! });
  }
  const step = () => engine.decode(ids.map((session) => ({ session, input: { tokens: [198] } })));
  // The first joins the caches and picks kernels.
  await step();
  const start = performance.now();
  for (let at = 0; at < STEPS; at++) await step();
  const ms = (performance.now() - start) / STEPS;
  for (const id of ids) await engine.close(id);
  return ms;
}

async function fetchDefaultModel(): Promise<void> {
  const [entry] = CATALOGUE;
  const bar = new ProgressBar(`Fetching ${entry.name}`);
  await fetchModelFiles(entry, join(ROOT, 'data/models'), {
    onProgress: ({ done, total }) => bar.update(done, total),
  });
  bar.end();
}

async function main(): Promise<number> {
  const report = await inspectCuda();
  for (const { id, name, memoryBytes, proven } of report.devices)
    console.log(
      `${id}: ${name}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB, ${proven ? 'works' : 'unusable'}`,
    );
  for (const { what, todo } of report.problems) console.log(`- ${what}\n  → ${todo}`);
  if (!report.usable) {
    console.log('No CUDA here: nothing was checked. docs/cuda.md says what is needed.');
    return 2;
  }
  await fetchDefaultModel();
  for (const { id } of report.devices.filter(({ proven }) => proven)) {
    console.log(`\n${id}`);
    for (const name of FIXTURES) {
      const { manifest, weights, expected } = await openFixture(name);
      const slice = { start: 0, end: manifest.config.layers, embed: true, head: true };
      await compare(name, { manifest, weights, slice, maxTokens: 64 }, [expected.prompt], id, 'fixture');
    }
    await compare(
      'default model',
      { ...(await openDefaultModel()), maxTokens: 512 },
      DEFAULT_PROMPTS,
      id,
      'model',
    );
  }
  console.log(
    wrong === 0 ? '\nAll numbers are right.' : `\n${wrong} comparisons are wrong: do not lend this GPU.`,
  );
  return wrong === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
