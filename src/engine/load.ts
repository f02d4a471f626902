import type { Manifest, Slice, TensorReader } from '../model/index.ts';
import { BackendFailure, createEngine, sliceWeights } from './create.ts';
import { measure } from './measure.ts';
import type { BackendRequest, Platform } from './platform.ts';
import { checkNumbers } from './self-test/check.ts';
import type { SliceEngine } from './slice-engine.ts';
import { type Backend, EngineError, type LoadOptions } from './types.ts';

/** Tokens of one session when the caller does not say: a long chat, and a cache of 190 MB for SmolLM2-135M. */
export const DEFAULT_MAX_TOKENS = 4096;

/**
 * Loads a slice on the first back end that works; why the others did not stands in `info.fallbacks`.
 * @throws EngineError `no-backend` when none does, `out-of-memory`, `bad-input`, `aborted`; ModelError from reading
 */
export async function loadSlice(platform: Platform, options: LoadOptions): Promise<SliceEngine> {
  checkSlice(options.manifest, options.slice);
  const weights = await platform.openWeights(options.manifest, options.weights);
  try {
    return await loadOnFirst(platform, options, weights);
  } finally {
    await weights.close?.();
  }
}

async function loadOnFirst(
  platform: Platform,
  options: LoadOptions,
  weights: TensorReader,
): Promise<SliceEngine> {
  const fallbacks: string[] = [];
  for (const backend of options.backends ?? platform.backends) {
    try {
      return await loadOn(platform, backend, options, weights, fallbacks);
    } catch (error) {
      if (options.signal?.aborted) throw new EngineError('aborted', 'loading was stopped', { cause: error });
      // Another back end reads the same bytes: what is wrong with them stays wrong.
      if (!(error instanceof BackendFailure)) throw error;
      fallbacks.push(`${backend}: ${error.message}`);
    }
  }
  throw new EngineError('no-backend', `no back end runs here. ${fallbacks.join('; ')}`);
}

async function loadOn(
  platform: Platform,
  backend: Backend,
  options: LoadOptions,
  weights: TensorReader,
  fallbacks: string[],
): Promise<SliceEngine> {
  const { manifest, slice, signal } = options;
  const request = requestOf(manifest, slice, options);
  const plan = await platform.plan(backend, request).catch((error: unknown) => {
    throw new BackendFailure(messageOf(error));
  });
  // Seconds per token: only whoever asks for it by name gets it.
  if (plan.software && !options.backends)
    throw new BackendFailure(
      'the only GPU here is emulated in software, which is slower than the CPU itself',
    );
  if (plan.gpu) {
    options.onProgress?.({ stage: 'testing', done: 0, total: 0 });
    await checkNumbers(plan, manifest).catch((error: unknown) => {
      throw new BackendFailure(messageOf(error));
    });
  }
  const maxTokens = Math.min(options.maxTokens ?? DEFAULT_MAX_TOKENS, manifest.config.contextLength);
  const engine = await createEngine(backend, plan, { ...options, reader: weights, maxTokens }, fallbacks);
  try {
    signal?.throwIfAborted();
    if (options.measure !== false) {
      options.onProgress?.({ stage: 'measuring', done: 0, total: 0 });
      const speed = await measure(engine, plan.software ? 'software' : plan.gpu ? 'gpu' : 'cpu');
      engine.info.speed = speed;
    }
  } catch (error) {
    await engine.dispose();
    if (error instanceof EngineError && error.code === 'wrong-numbers')
      throw new BackendFailure(error.message);
    throw error;
  }
  return engine;
}

/** Heads of this size are in most models; the self-test of a model that is loaded takes its own. */
const PROOF_HEAD_SIZE = 64;

/**
 * Runs the self-test on one back end, also on a CPU.
 * @returns what the back end calls its device
 * @throws EngineError `no-backend` with the reason
 */
export async function proveNumbers(
  platform: Platform,
  backend: Backend,
  device?: string,
): Promise<string | null> {
  try {
    const plan = await platform.plan(backend, {
      arithmetic: 'exact',
      precision: 'float32',
      threads: 1,
      denseBytes: 0,
      device,
    });
    await checkNumbers(plan, { config: { headSize: PROOF_HEAD_SIZE } });
    return plan.device;
  } catch (cause) {
    throw new EngineError('no-backend', messageOf(cause), { cause });
  }
}

/** What the caller left open, filled in. */
export function requestOf(
  manifest: Manifest,
  slice: Slice,
  options: Partial<
    Pick<LoadOptions, 'arithmetic' | 'precision' | 'threads' | 'spin' | 'memoryLimit' | 'device'>
  >,
): BackendRequest {
  return {
    arithmetic: options.arithmetic ?? 'exact',
    precision: options.precision ?? 'float32',
    threads: options.threads,
    spin: options.spin,
    memoryLimit: options.memoryLimit,
    device: options.device,
    denseBytes: sliceWeights(manifest, slice) * 4,
  };
}

function checkSlice({ config }: Manifest, { start, end, embed, head }: Slice): void {
  const whole = (value: number) => Number.isInteger(value) && value >= 0 && value <= config.layers;
  if (!whole(start) || !whole(end) || start > end || (start === end && !head))
    throw new EngineError(
      'bad-input',
      `layers [${start}, ${end}) are no slice of a model of ${config.layers} layers`,
    );
  if ((embed && start !== 0) || (head && end !== config.layers))
    throw new EngineError('bad-input', 'the embedding goes with the first layer and the head with the last');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
