import { Worker } from 'node:worker_threads';
import type { Backend, Engine, LoadOptions } from './types.ts';
import { loadInWorker, proveInWorker, type WorkerPort } from './worker/client.ts';

export { findCudaProvider, GET_PROVIDER, whyNoCuda } from './cuda-provider.ts';
export { estimateMemory, type MemoryEstimate } from './estimate.ts';
export { loadSlice } from './load.ts';
export { nodePlatform } from './node-platform.ts';

/**
 * Loads a slice with onnxruntime-node in a worker thread: its `create` and `run` block the thread they are on.
 * @throws EngineError, ModelError
 */
export function loadEngine(options: LoadOptions): Promise<Engine> {
  if (options.backends?.includes('node-cuda')) keepFloat32();
  return loadInWorker(startWorker(), options);
}

/**
 * Runs the self-test of the engine on a back end, in a worker thread that ends with it: kernels that answer, and whose
 * numbers are right.
 * @returns what the back end calls its device
 * @throws EngineError `no-backend` with the reason, `aborted`
 */
export function proveBackend(
  backend: Backend,
  device?: string,
  signal?: AbortSignal,
): Promise<string | null> {
  if (backend === 'node-cuda') keepFloat32();
  return proveInWorker(startWorker(), backend, device, signal);
}

/**
 * NVIDIA's libraries put 19-bit floats in the place of 32-bit ones unless the process says otherwise before they start,
 * and the binding has no other way to say it. It has no effect on 16-bit floats.
 */
function keepFloat32(): void {
  process.env.NVIDIA_TF32_OVERRIDE = '0';
  // The numbers of nvidia-smi, by which an operator names a device.
  process.env.CUDA_DEVICE_ORDER ??= 'PCI_BUS_ID';
}

function startWorker(): WorkerPort {
  const worker = new Worker(new URL('./node-worker.mjs', import.meta.url));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (listener) => worker.on('message', listener),
    terminate: () => void worker.terminate(),
    onFailure: (listener) => {
      worker.on('error', (error) => listener(error instanceof Error ? error.message : String(error)));
      worker.on('exit', (code) => listener(`exit code ${code}`));
    },
  };
}
