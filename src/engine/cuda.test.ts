import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cudaDeviceId, findCudaProvider, unresolved, whyNoCuda } from './cuda-provider.ts';
import { loadEngine, proveBackend } from './node.ts';
import { openFixture } from './testing/fixtures.ts';

const WHOLE = { start: 0, end: 4, embed: true, head: true };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-cuda-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** With the provider installed, the GPU's own check is `npm run cuda:check`. */
const bare = (await findCudaProvider()).missingFiles.length > 0;

describe.runIf(bare)('where onnxruntime’s CUDA provider is not installed', () => {
  it('loading fails with all that is missing', async () => {
    const { manifest, weights } = await openFixture('llama-tied');
    const load = loadEngine({
      manifest,
      weights,
      slice: WHOLE,
      backends: ['node-cuda'],
      device: 'cuda:1',
      measure: false,
    });
    await expect(load).rejects.toMatchObject({ name: 'EngineError', code: 'no-backend' });
    for (const what of ['libonnxruntime_providers_cuda.so', 'driver', 'CUDA 12', 'cuDNN 9', 'npm rebuild'])
      await expect(load).rejects.toThrow(what);
  });

  it('the next back end is taken where the caller names one, and the reason is kept', async () => {
    const { manifest, weights } = await openFixture('llama-tied');
    const engine = await loadEngine({
      manifest,
      weights,
      slice: WHOLE,
      backends: ['node-cuda', 'node-cpu'],
      measure: false,
    });
    expect(engine.info).toMatchObject({ backend: 'node-cpu', precision: 'float32', arithmetic: 'exact' });
    expect(engine.info.fallbacks).toEqual([
      expect.stringContaining('node-cuda: onnxruntime’s CUDA provider'),
    ]);
    await engine.dispose();
  });

  it('the proof says so too', async () => {
    await expect(proveBackend('node-cuda')).rejects.toMatchObject({
      code: 'no-backend',
      message: expect.stringContaining('libonnxruntime_providers_cuda.so'),
    });
  });
});

it('a back end that is there passes the proof', async () => {
  await expect(proveBackend('node-cpu')).resolves.toBeNull();
});

it('a proof that is stopped ends', async () => {
  const stop = new AbortController();
  const proof = proveBackend('node-cpu', undefined, stop.signal);
  stop.abort();
  await expect(proof).rejects.toMatchObject({ code: 'aborted' });
});

it('names what the provider is linked against and the loader does not find', async () => {
  // Both files are there, and neither is a library: ldd has nothing to say about them.
  for (const file of ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'])
    await writeFile(join(folder, file), 'no library');
  expect(await findCudaProvider(folder)).toEqual({ missingFiles: [], missingLibraries: null });
  expect(await whyNoCuda(folder)).toBeNull();
  // A program whose libraries are all there.
  expect(await unresolved(process.execPath)).toEqual([]);
});

it('takes a device by its number', () => {
  expect([cudaDeviceId(), cudaDeviceId('cuda'), cudaDeviceId('cuda:3')]).toEqual([0, 0, 3]);
  for (const bad of ['cuda:', 'cuda:-1', 'cpu', 'cuda:100', 'cuda:1x'])
    expect(() => cudaDeviceId(bad)).toThrow('no CUDA device');
});
