import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { openWeights } from '../model/node.ts';
import { collectGarbage } from './collect-garbage.ts';
import { cudaDeviceId, whyNoCuda } from './cuda-provider.ts';
import { nodeForm } from './node-form.ts';
import type { BackendPlan, BackendRequest, Platform } from './platform.ts';
import { GqaRunner, ReturnedCache } from './runtime/gqa-runner.ts';
import { SplitRunner } from './runtime/split-runner.ts';
import type { Backend } from './types.ts';

const MAX_CHUNK = 256;
/** Between float32 (1e-6) and the 19-bit floats that tensor cores put in its place unless told not to (3e-4). */
const CUDA_TOLERANCE = 1e-4;

export const nodePlatform: Platform = {
  // A GPU is taken only by name: whoever lends it chooses the device and its memory.
  backends: ['node-cpu'],
  openWeights,
  async plan(backend: Backend, request: BackendRequest): Promise<BackendPlan> {
    const written = nodeForm(backend, request);
    const onGpu = backend === 'node-cuda';
    const threads = onGpu ? 1 : (request.threads ?? availableParallelism());
    const common = {
      ...written,
      maxChunk: MAX_CHUNK,
      threads,
      software: false,
      ort,
      collectGarbage,
      makeRunner: async (session, shape) =>
        written.form.attention === 'gqa'
          ? new GqaRunner(ort, session, shape, () => new ReturnedCache(ort, shape))
          : new SplitRunner(ort, session, shape),
    } satisfies Partial<BackendPlan>;
    const sessionOptions = {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    } satisfies BackendPlan['sessionOptions'];
    if (onGpu) {
      const deviceId = cudaDeviceId(request.device);
      const missing = await whyNoCuda();
      if (missing) throw new Error(missing);
      return {
        ...common,
        device: `CUDA device ${deviceId}`,
        gpu: true,
        tolerance: CUDA_TOLERANCE,
        sessionOptions: { ...sessionOptions, executionProviders: [{ name: 'cuda', deviceId }] },
      };
    }
    return {
      ...common,
      device: null,
      gpu: false,
      sessionOptions: {
        ...sessionOptions,
        executionProviders: ['cpu'],
        extra: {
          session:
            request.spin === false
              ? { intra_op: { allow_spinning: '0' } }
              : // A slice runs as several sessions, each with its own threads: those of one must not spin beside the next.
                { force_spinning_stop: '1' },
        },
      },
    };
  },
};
