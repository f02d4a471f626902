import { nodeForm } from '../node-form.ts';
import { nodePlatform } from '../node-platform.ts';
import type { Platform } from '../platform.ts';
import { SplitRunner } from '../runtime/split-runner.ts';

/**
 * Graphs as CUDA gets them, on the CPU: where it has no 16-bit kernel, onnxruntime rounds at the operator's edges, so
 * that what is stored and passed on is what a GPU stores and passes on.
 */
export const cudaFormOnCpu: Platform = {
  ...nodePlatform,
  backends: ['node-cuda'],
  async plan(_backend, request) {
    const plan = await nodePlatform.plan('node-cpu', request);
    return {
      ...plan,
      ...nodeForm('node-cuda', request),
      makeRunner: async (session, shape) => new SplitRunner(plan.ort, session, shape),
    };
  },
};
