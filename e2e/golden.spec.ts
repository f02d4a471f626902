/**
 * The numbers of the engine in real browsers, on WebAssembly and on WebGPU (a software adapter, so that every
 * machine can run this): against PyTorch, against themselves when cut, and against Node's CPU.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, expect, type Page, test } from '@playwright/test';
import type { Backend } from '../src/engine/index.ts';
import { loadSlice, nodePlatform } from '../src/engine/node.ts';
import type { Expected, GoldenReport } from '../src/engine/testing/golden.ts';
import { quantisedModel } from '../src/engine/testing/quantised-model.ts';
import { makeManifest, openModelFiles, type TensorType } from '../src/model/index.ts';
import { sourcesFrom } from '../src/model/node.ts';
import { readExpected } from './lab/expected.ts';
import { launchChromium } from './lab/launch.ts';
import { type Lab, startLab } from './lab/server.ts';

/** Generated files, kept out of the repository. */
const GENERATED = 'node_modules/.cache/shoal-generated';
/** On a software GPU a step takes a second: the prompt and one step go through each chain. */
const GPU_CHAIN_STEPS = 2;
const GPU_TIMEOUT_MS = 600_000;

let lab: Lab;
let browser: Browser;
let page: Page;

test.describe.configure({ mode: 'default' });

test.beforeAll(async () => {
  test.setTimeout(GPU_TIMEOUT_MS);
  await mkdir(fileURLToPath(new URL(`../${GENERATED}`, import.meta.url)), { recursive: true });
  lab = await startLab({ folders: { '/fixtures/': 'fixtures', '/generated/': GENERATED } });
  browser = await launchChromium({ gpu: true });
});

test.beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(lab.url);
  await page.waitForFunction('window.lab !== undefined');
});

test.afterEach(async () => page.close());

test.afterAll(async () => {
  await browser?.close();
  await lab?.close();
});

function expectPyTorch(report: GoldenReport, expected: Expected, layers: number): void {
  expect(report.logits).toBeLessThan(1e-4);
  expect(report.greedy).toEqual(expected.greedy);
  expect(report.boundaries).toHaveLength(layers - 1);
  for (const boundary of report.boundaries) expect(boundary).toBeLessThan(1e-4);
  // Every cut in two and in three.
  expect(report.chains).toHaveLength(layers - 1 + ((layers - 1) * (layers - 2)) / 2);
  for (const { cuts, difference } of report.chains)
    expect(difference, `cut at ${cuts.join(' and ')}`).toBeLessThan(1e-6);
}

for (const fixture of ['llama-tied', 'llama3-scaled-rope', 'qwen2', 'qwen3']) {
  test(`${fixture} on WebAssembly gives PyTorch’s numbers, and every chain equals the whole`, async () => {
    const { expected, layers } = await readExpected(fixture);
    const report = await page.evaluate((name) => window.lab.golden(name, 'wasm', 'workers'), fixture);
    expectPyTorch(report, expected, layers);
  });
}

const gpuCases: [fixture: string, backend: Backend][] = [
  ['llama-tied', 'jspi'],
  ['llama3-scaled-rope', 'jspi'],
  ['qwen2', 'jspi'],
  ['qwen3', 'jspi'],
  ['qwen3', 'webgpu'],
];
for (const [fixture, backend] of gpuCases) {
  test(`${fixture} on WebGPU (${backend}) gives PyTorch’s numbers, and every chain equals the whole`, async () => {
    test.setTimeout(GPU_TIMEOUT_MS);
    const { expected, layers } = await readExpected(fixture);
    const report = await page.evaluate(([name, on, steps]) => window.lab.golden(name, on, 'page', steps), [
      fixture,
      backend,
      GPU_CHAIN_STEPS,
    ] as const);
    expectPyTorch(report, expected, layers);
  });
}

test.describe('a GGUF whose matrices are of every block type', () => {
  const types: TensorType[] = [
    ...(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const),
    ...(['Q4_K', 'Q5_K', 'Q6_K', 'F16', 'BF16'] as const),
  ];
  const tokens = Array.from({ length: 20 }, (_, i) => (i * 29 + 3) % 128);
  const file = { folder: '/generated', name: 'quantised.gguf' };
  let expected: number[][];

  test.beforeAll(async () => {
    const path = fileURLToPath(new URL(`../${GENERATED}/${file.name}`, import.meta.url));
    await writeFile(path, quantisedModel(types));
    const { manifest } = await makeManifest(await openModelFiles(await sourcesFrom(path)));
    const slice = { start: 0, end: manifest.config.layers, embed: true, head: true };
    const weights = { kind: 'files' as const, files: [path] };
    const engine = await loadSlice(nodePlatform, { manifest, slice, weights, maxTokens: 64, measure: false });
    const session = await engine.open();
    expected = [];
    for (const input of [tokens.slice(0, -1), tokens.slice(-1)]) {
      const { logits } = await engine.forward(session, { tokens: input });
      expected.push(Array.from(logits!));
    }
    await engine.dispose();
  });

  for (const backend of ['wasm', 'jspi', 'webgpu'] as const) {
    test(`computes on ${backend}, in a worker, what it computes on Node’s CPU`, async () => {
      test.setTimeout(GPU_TIMEOUT_MS);
      const result = await page.evaluate(
        ([model, on, ids, wanted]) => window.lab.compareLogits(model, on, ids, wanted),
        [file, backend, tokens, expected] as const,
      );
      expect(result.info).toMatchObject({ backend, fallbacks: [] });
      for (const difference of result.differences) expect(difference).toBeLessThan(1e-4);
    });
  }
});

test('the start-up self-test passes where the numbers are right and refuses a GPU that computes wrong ones', async () => {
  test.setTimeout(GPU_TIMEOUT_MS);
  const right = await page.evaluate(() => window.lab.selfTest('llama-tied', 'jspi', null));
  expect(right.refused).toBeNull();
  // This software adapter computes wrong attention for 32 or more new tokens in one run, and right below that.
  expect(right.maxChunk).toBeLessThan(32);
  const wrong = await page.evaluate(() => window.lab.selfTest('llama-tied', 'jspi', 256));
  expect(wrong.refused?.code).toBe('wrong-numbers');
});
