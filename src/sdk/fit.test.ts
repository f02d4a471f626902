import { beforeAll, describe, expect, it } from 'vitest';
import { estimateMemory } from '../engine/estimate.ts';
import { openDefaultModel } from '../engine/testing/default-model.ts';
import { openFixture } from '../engine/testing/fixtures.ts';
import { type Manifest, wholeSlice } from '../model/index.ts';
import { fitOf } from './fit.ts';
import type { DeviceFacts } from './platform.ts';
import { Tabs } from './testing/tabs.ts';
import { tinyModel } from './testing/tiny-model.ts';

const GIB = 2 ** 30;
const device = (gib: number | null, more: Partial<DeviceFacts> = {}): DeviceFacts => ({
  memoryBytes: gib === null ? null : gib * GIB,
  memoryMayBeMore: false,
  gpu: null,
  ...more,
});
const gpu = { maxBufferBytes: 2 ** 31 };

let model: Manifest;
beforeAll(async () => {
  model = (await openDefaultModel()).manifest;
});

/** As large as somebody wants it: only the sizes count. */
function grown(times: number): Manifest {
  const tensors = model.tensors.map((tensor) => ({
    ...tensor,
    shape: tensor.shape.map((size, axis) => (axis === 0 ? size * times : size)),
    bytes: tensor.bytes * times,
  }));
  return { ...model, tensors };
}

describe('what a model needs', () => {
  it('is what the engine says: multiplied out on the CPU, packed on a GPU', async () => {
    for (const manifest of [model, (await openFixture('qwen3')).manifest]) {
      const whole = wholeSlice(manifest);
      const engine = (backend: 'node-cpu' | 'node-cuda', memoryLimit?: number) => {
        const { weightBytes, kvBytesPerToken, maxTokens } = estimateMemory(manifest, whole, backend, {
          memoryLimit,
        });
        return weightBytes + kvBytesPerToken * maxTokens;
      };
      // The graph has some small tables beside.
      const cpu = fitOf(manifest, device(8)).fit!.neededBytes / engine('node-cpu');
      expect(cpu).toBeGreaterThan(0.97);
      expect(cpu).toBeLessThan(1.01);
      const packed = fitOf(manifest, device(8, { gpu })).fit!.neededBytes / engine('node-cuda', 1);
      expect(packed).toBeGreaterThan(0.97);
      expect(packed).toBeLessThan(1.01);
    }
  });

  it('is told with the tokens of one conversation', () => {
    expect(fitOf(model, device(8)).contextTokens).toBe(4096);
    expect(fitOf(model, device(8), 1000).contextTokens).toBe(1000);
    expect(fitOf(model, device(8), 1e9).contextTokens).toBe(model.config.contextLength);
  });
});

describe('the verdict', () => {
  const verdict = (times: number, facts: DeviceFacts) => fitOf(grown(times), facts).fit!.verdict;

  it('follows the memory of the device', () => {
    // 0.75 GB: less than a quarter of 4 GiB, less than half of 2 GiB, more than half of 1 GiB.
    expect(verdict(1, device(4))).toBe('fits');
    expect(verdict(1, device(2))).toBe('tight');
    expect(verdict(1, device(1))).toBe('too-large');
    expect(verdict(1, device(null))).toBe('unknown');
    expect(fitOf(model, device(4)).fit!.deviceBytes).toBe(2 * GIB);
  });

  it('does not call too large what only the browser’s largest number is too small for', () => {
    expect(verdict(10, device(8, { gpu }))).toBe('fits');
    expect(verdict(40, device(8, { gpu }))).toBe('too-large');
    expect(verdict(40, device(8, { gpu, memoryMayBeMore: true }))).toBe('tight');
  });

  it('knows what WebAssembly can hold, and what a GPU cannot take in one piece', () => {
    const large = device(64);
    expect(verdict(8, large)).toBe('too-large');
    expect(verdict(8, device(null))).toBe('too-large');
    expect(verdict(8, { ...large, gpu })).toBe('fits');
    expect(verdict(8, { ...large, gpu: { maxBufferBytes: 2 ** 27 } })).toBe('too-large');
  });
});

describe('the list of models', () => {
  it('tells it before anything is loaded, and only what is known when the relay is gone', async () => {
    const tabs = await Tabs.around(tinyModel());
    const tab = tabs.open();
    const [listed] = await tab.shoal.models();
    expect(listed).toMatchObject({ cached: false, kept: 0, contextTokens: 256, fit: { verdict: 'fits' } });
    expect(tab.fetched.bytes).toBe(0);

    let offline = false;
    const list = `[{"id":"far","cid":${JSON.stringify(tabs.cid)},"name":"Far","layers":2,"bytes":9,"license":null,"manifest":"m.json","files":["f"]}]`;
    const far = tabs.open(
      {},
      {
        fetch: async (url) => {
          if (offline || `${url}`.endsWith('m.json')) throw new TypeError('Failed to fetch');
          return new Response(list);
        },
      },
    );
    expect(await far.shoal.models()).toMatchObject([{ id: 'far', contextTokens: null, fit: null }]);
    offline = true;
    expect(await far.shoal.models()).toMatchObject([{ id: 'far', contextTokens: null, fit: null }]);
    await tabs.close();
  });

  it('does not wait long for a manifest, and has it the next time', async () => {
    const tabs = await Tabs.around(tinyModel());
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const tab = tabs.open(
      {},
      {
        fetch: async (url, init) => {
          if (`${url}`.endsWith('manifest.json')) await held;
          return tabs.fetch(url, init);
        },
      },
    );
    expect((await tab.shoal.models())[0]).toMatchObject({ contextTokens: null, fit: null });
    answer();
    await expect
      .poll(async () => (await tab.shoal.models())[0], { timeout: 5000 })
      .toMatchObject({ contextTokens: 256 });
    await tabs.close();
  });
});
