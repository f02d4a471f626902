import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { openWeights } from '../model/node.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { BackendPlan, BackendRequest, Platform } from './platform.ts';
import { GqaRunner, ReturnedCache } from './runtime/gqa-runner.ts';
import { SplitRunner } from './runtime/split-runner.ts';
import type { Backend } from './types.ts';

/** Above this, exact arithmetic keeps the blocks packed: slower per token, but it fits. */
const DENSE_LIMIT = 4 * 2 ** 30;
const MAX_CHUNK = 256;

export const nodePlatform: Platform = {
  backends: ['node-cpu'],
  openWeights,
  async plan(backend: Backend, request: BackendRequest): Promise<BackendPlan> {
    if (backend !== 'node-cpu') throw new Error(`${backend} does not exist in Node; use node-cpu`);
    const threads = request.threads ?? availableParallelism();
    const half = request.precision === 'float16';
    const packed = request.arithmetic === 'fast' || request.denseBytes > DENSE_LIMIT;
    return {
      arithmetic: request.arithmetic,
      precision: request.precision,
      form: {
        // The CPU's split products exist in float32 only; GroupQueryAttention has both.
        attention: half ? 'gqa' : 'split',
        linear: packed ? 'blocks' : 'dense',
        accuracyLevel: request.arithmetic === 'fast' ? 4 : 0,
        precision: request.precision,
      },
      maxChunk: MAX_CHUNK,
      threads,
      device: null,
      gpu: false,
      software: false,
      ort,
      collectGarbage,
      sessionOptions: {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        // A slice runs as several sessions, each with its own threads: those of one must not spin beside the next.
        extra: { session: { force_spinning_stop: '1' } },
      },
      makeRunner: async (session, shape) =>
        half
          ? new GqaRunner(ort, session, shape, () => new ReturnedCache(ort, shape))
          : new SplitRunner(ort, session, shape),
    };
  },
};
