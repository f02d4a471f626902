import type { Manifest, TensorReader, WeightsLocation } from '../model/index.ts';
import { openWeights } from '../model/web.ts';
import type { BackendPlan, BackendRequest, Platform } from './platform.ts';
import type { OnnxRuntime } from './runtime/float-tensor.ts';
import { GpuCache } from './runtime/gpu-cache.ts';
import { GqaRunner } from './runtime/gqa-runner.ts';
import { SplitRunner } from './runtime/split-runner.ts';
import type { Backend } from './types.ts';

/** A software GPU computes wrong attention from 32 new tokens in one run on (measured); half of that is safe. */
const SOFTWARE_CHUNK = 16;
const MAX_CHUNK = 256;
/** More threads than this gain little in WebAssembly and make the page stutter. */
const MAX_THREADS = 8;
/** 32-bit WebAssembly ends at 4 GiB, and weights lie there beside caches and scratch. */
const WASM_DENSE_LIMIT = 3 * 2 ** 30;

/** @param wasmPath folder of onnxruntime-web's .mjs and .wasm files */
export function webPlatform(wasmPath: string): Platform {
  return {
    backends: supportsJspi() ? ['jspi', 'wasm'] : ['webgpu', 'wasm'],
    openWeights: (manifest: Manifest, location: WeightsLocation): Promise<TensorReader> =>
      openWeights(manifest, location),
    plan: (backend, request) =>
      backend === 'wasm' ? planWasm(wasmPath, request) : planWebGpu(wasmPath, backend, request),
  };
}

/** JavaScript Promise Integration: onnxruntime's smaller WebGPU build needs it. */
function supportsJspi(): boolean {
  return 'Suspending' in WebAssembly;
}

async function planWasm(wasmPath: string, request: BackendRequest): Promise<BackendPlan> {
  if (request.denseBytes > WASM_DENSE_LIMIT)
    throw new Error(
      `${Math.round(request.denseBytes / 1e6)} MB of dense weights are more than WebAssembly can hold; take fewer layers`,
    );
  const ort = (await import('onnxruntime-web/wasm')) as unknown as OnnxRuntime;
  // Threads need shared memory, which the browser gives only to isolated pages.
  const cores = navigator.hardwareConcurrency || 1;
  const threads = globalThis.crossOriginIsolated ? Math.min(request.threads ?? cores, MAX_THREADS) : 1;
  ort.env.wasm.wasmPaths = wasmPath;
  ort.env.wasm.numThreads = threads;
  return {
    // int8 products are multiplied out at every call there, which is slower than dense floats.
    arithmetic: 'exact',
    precision: 'float32',
    form: { attention: 'split', linear: 'dense', accuracyLevel: 0, precision: 'float32' },
    maxChunk: MAX_CHUNK,
    threads,
    device: null,
    gpu: false,
    software: false,
    ort,
    sessionOptions: { executionProviders: ['wasm'], graphOptimizationLevel: 'all', logSeverityLevel: 3 },
    makeRunner: async (session, shape) => new SplitRunner(ort, session, shape),
  };
}

async function planWebGpu(wasmPath: string, backend: Backend, request: BackendRequest): Promise<BackendPlan> {
  if (backend !== 'jspi' && backend !== 'webgpu') throw new Error(`${backend} does not exist in a tab`);
  if (!navigator.gpu)
    throw new Error('this browser has no WebGPU (or it is switched off, or the page is not secure)');
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('WebGPU is there, but it found no GPU it can use');
  if (request.precision === 'float16' && !adapter.features.has('shader-f16'))
    throw new Error('this GPU has no 16-bit floats');
  const ort = (backend === 'jspi'
    ? await import('onnxruntime-web/jspi')
    : await import('onnxruntime-web/webgpu')) as unknown as OnnxRuntime;
  ort.env.wasm.wasmPaths = wasmPath;
  ort.env.wasm.numThreads = 1;
  const { info } = adapter;
  const software = isSoftware(info);
  return {
    arithmetic: request.arithmetic,
    precision: request.precision,
    form: {
      attention: 'gqa',
      linear: 'blocks',
      accuracyLevel: request.arithmetic === 'fast' ? 4 : 0,
      precision: request.precision,
    },
    maxChunk: software ? SOFTWARE_CHUNK : MAX_CHUNK,
    threads: 1,
    device: [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') || 'unnamed GPU',
    gpu: true,
    software,
    ort,
    sessionOptions: { executionProviders: ['webgpu'], graphOptimizationLevel: 'all', logSeverityLevel: 3 },
    makeRunner: async (session, shape, maxTokens) => {
      const device = await ort.env.webgpu.device;
      return new GqaRunner(ort, session, shape, () => new GpuCache(ort, device, shape, maxTokens));
    },
    onLost(callback) {
      void Promise.resolve(ort.env.webgpu.device)
        .then((device) => device.lost)
        .then(({ reason, message }) => {
          // `destroyed` is our own doing, at dispose.
          if (reason !== 'destroyed') callback(message || 'no reason given');
        });
    },
  };
}

function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.description}`)
  );
}
