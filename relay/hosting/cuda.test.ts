import { expect, it } from 'vitest';
import type { CudaProbe } from './cuda.ts';
import { inspectCuda, listGpus } from './cuda.ts';

/** What nvidia-smi 550 printed on a machine with two GPUs, with one more column than is asked for cut off. */
const TWO = [
  '0, GPU-11111111-aaaa, NVIDIA GeForce RTX 4090, 24564, 24111',
  '1, GPU-22222222-bbbb, NVIDIA RTX 4000, Ada Generation, 20475, 1024',
  '',
].join('\n');
const INSTALLED: CudaProbe['provider'] = async () => ({ missingFiles: [], missingLibraries: [] });
const ABSENT: CudaProbe['provider'] = async () => ({
  missingFiles: ['libonnxruntime_providers_cuda.so'],
  missingLibraries: null,
});

function probe(change: Partial<CudaProbe> & { files?: Record<string, string> } = {}): CudaProbe {
  const { files = {}, ...rest } = change;
  return {
    run: async (program) => files[program] ?? null,
    provider: INSTALLED,
    prove: async () => 'CUDA device',
    env: {},
    ...rest,
  };
}

it('names every GPU that computes right numbers', async () => {
  const proven: (string | undefined)[] = [];
  const report = await inspectCuda(
    probe({
      files: { 'nvidia-smi': TWO },
      prove: async (_backend, device) => {
        proven.push(device);
        return null;
      },
    }),
  );
  expect(report).toEqual({
    usable: true,
    device: 'cuda:0',
    problems: [],
    devices: [
      {
        id: 'cuda:0',
        name: 'NVIDIA GeForce RTX 4090',
        memoryBytes: 24564 * 2 ** 20,
        freeBytes: 24111 * 2 ** 20,
        proven: true,
      },
      expect.objectContaining({ id: 'cuda:1', name: 'NVIDIA RTX 4000, Ada Generation', proven: true }),
    ],
  });
  expect(proven).toEqual(['cuda:0', 'cuda:1']);
});

it('one that does not is told with its reason, and the other is used', async () => {
  const report = await inspectCuda(
    probe({
      files: { 'nvidia-smi': TWO },
      prove: async (_backend, device) => {
        if (device === 'cuda:0') throw new Error('this GPU computes wrong numbers');
        return null;
      },
    }),
  );
  expect(report).toMatchObject({ usable: true, device: 'cuda:1' });
  expect(report.problems).toEqual([
    {
      what: expect.stringContaining('cuda:0, NVIDIA GeForce RTX 4090: this GPU computes wrong numbers'),
      todo: expect.stringContaining('docs/cuda.md'),
    },
  ]);
});

it('a GPU without the provider or its libraries: each with what to do, and nothing is tried', async () => {
  const never: CudaProbe['prove'] = async () => {
    throw new Error('must not be tried');
  };
  const ldconfig = '\tlibcudart.so.12 (libc6,x86-64) => /usr/lib/libcudart.so.12\n';
  const report = await inspectCuda(
    probe({ files: { 'nvidia-smi': TWO, ldconfig }, provider: ABSENT, prove: never }),
  );
  expect([report.usable, report.device]).toEqual([false, null]);
  expect(report.problems).toEqual([
    {
      what: expect.stringContaining('libonnxruntime_providers_cuda.so'),
      todo: 'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node',
    },
    {
      what: 'the loader does not find libcublas.so, libcublasLt.so, libcufft.so, libcurand.so, libcudnn.so.9',
      todo: expect.stringContaining('cuDNN 9'),
    },
  ]);
  const linked = async () => ({ missingFiles: [], missingLibraries: ['libcudnn.so.9'] });
  const without = await inspectCuda(probe({ files: { 'nvidia-smi': TWO }, provider: linked, prove: never }));
  expect(without.problems).toEqual([
    { what: 'the loader does not find libcudnn.so.9', todo: expect.any(String) },
  ]);
});

it('sees only the GPUs that the process may use, numbered as CUDA numbers them', async () => {
  const seen = async (visible: string) =>
    (await listGpus(probe({ files: { 'nvidia-smi': TWO }, env: { CUDA_VISIBLE_DEVICES: visible } }))).map(
      ({ id, name }) => [id, name.slice(0, 15)],
    );
  expect(await seen('1')).toEqual([['cuda:0', 'NVIDIA RTX 4000']]);
  expect(await seen('1,0')).toHaveLength(2);
  expect(await seen('GPU-22222222')).toEqual([['cuda:0', 'NVIDIA RTX 4000']]);
  for (const none of ['', '-1', '7']) expect(await seen(none)).toEqual([]);
});

it('garbage from nvidia-smi is no GPU', async () => {
  for (const garbage of [
    '',
    'NVIDIA-SMI has failed because it could not communicate',
    '0, , , ,',
    'a,b,c,d,e',
  ])
    expect(await listGpus(probe({ files: { 'nvidia-smi': garbage } }))).toEqual([]);
});

it('on this machine it answers, and says what to do where CUDA cannot be had', async () => {
  const report = await inspectCuda();
  if (report.usable) expect(report.devices.some(({ id }) => id === report.device)).toBe(true);
  else for (const { what, todo } of report.problems) expect([what, todo].every(Boolean)).toBe(true);
  expect(report.usable || report.problems.length > 0).toBe(true);
}, 180_000);
