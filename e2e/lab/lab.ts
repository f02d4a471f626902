/** The rooms themselves, without the product, for tests that drive them in a real browser. */
import { loadSlice } from '../../src/engine/load.ts';
import { relativeRms } from '../../src/engine/measure.ts';
import type { Platform } from '../../src/engine/platform.ts';
import { checkNumbers } from '../../src/engine/self-test/check.ts';
import { type Expected, type GoldenReport, goldenReport } from '../../src/engine/testing/golden.ts';
import { type Backend, EngineError, type EngineInfo, type LoadOptions } from '../../src/engine/types.ts';
import { loadEngine } from '../../src/engine/web.ts';
import { webPlatform } from '../../src/engine/web-platform.ts';
import { openModel } from './open-model.ts';

/** Tokens of one session in these tests: the fixtures' prompt and 24 new ones fit. */
const MAX_TOKENS = 64;

const platform = webPlatform(new URL('/ort/', location.href).href);

/** Back ends whose device has passed the start-up self-test on this page: it need not run for each slice. */
const tested = new Set<Backend>();
const testedOnce: Platform = {
  ...platform,
  async plan(backend, request) {
    const plan = await platform.plan(backend, request);
    const gpu = plan.gpu && !tested.has(backend);
    tested.add(backend);
    return { ...plan, gpu };
  },
};

const lab = {
  /**
   * `goldenReport` of a fixture on one back end and no other. In workers each slice has a GPU device of its own and
   * compiles every shader anew, which takes minutes on a software GPU; on the page all slices share one.
   */
  async golden(
    fixture: string,
    backend: Backend,
    place: 'workers' | 'page',
    chainSteps?: number,
  ): Promise<GoldenReport> {
    const folder = `/fixtures/${fixture}`;
    const { manifest, weights } = await openModel(folder, ['config.json', 'model.safetensors']);
    const expected = (await (await fetch(`${folder}/expected.json`)).json()) as Expected;
    const load = place === 'workers' ? loadEngine : (options: LoadOptions) => loadSlice(testedOnce, options);
    return goldenReport(
      manifest,
      expected,
      (slice) =>
        load({ manifest, slice, weights, backends: [backend], maxTokens: MAX_TOKENS, measure: false }),
      chainSteps,
    );
  },

  /** Relative RMS against `expected` of the logits after a prompt, and after one more step; who computed them. */
  async compareLogits(
    file: { folder: string; name: string },
    backend: Backend,
    tokens: number[],
    expected: number[][],
  ): Promise<{ differences: number[]; info: EngineInfo }> {
    const { manifest, weights } = await openModel(file.folder, [file.name]);
    const engine = await loadEngine({
      manifest,
      slice: { start: 0, end: manifest.config.layers, embed: true, head: true },
      weights,
      backends: [backend],
      maxTokens: MAX_TOKENS,
      measure: false,
    });
    try {
      const session = await engine.open();
      const differences: number[] = [];
      for (const [at, input] of [tokens.slice(0, -1), tokens.slice(-1)].entries()) {
        const { logits } = await engine.forward(session, { tokens: input });
        differences.push(relativeRms(logits!, Float32Array.from(expected[at]!)));
      }
      return { differences, info: engine.info };
    } finally {
      await engine.dispose();
    }
  },

  /**
   * The start-up self-test on this page's GPU, for a model of the fixtures, with runs of at most `maxChunk` tokens
   * (null: what the platform chose). Answers null when it passed, else the error's code and message.
   */
  async selfTest(fixture: string, backend: Backend, maxChunk: number | null) {
    const { manifest } = await openModel(`/fixtures/${fixture}`, ['config.json', 'model.safetensors']);
    const plan = await platform.plan(backend, {
      arithmetic: 'exact',
      precision: 'float32',
      threads: 1,
      denseBytes: 0,
    });
    try {
      await checkNumbers(maxChunk === null ? plan : { ...plan, maxChunk }, manifest);
      return { device: plan.device, maxChunk: plan.maxChunk, refused: null };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const refused = { code: error.code, message: error.message };
      return { device: plan.device, maxChunk: plan.maxChunk, refused };
    }
  },
};

declare global {
  interface Window {
    lab: typeof lab;
  }
}
window.lab = lab;
