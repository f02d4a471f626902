import { Worker } from 'node:worker_threads';
import type { Engine, LoadOptions } from './types.ts';
import { loadInWorker } from './worker/client.ts';

export { loadSlice } from './load.ts';
export { nodePlatform } from './node-platform.ts';

/**
 * Loads a slice with onnxruntime-node in a worker thread: its `create` and `run` block the thread they are on.
 * @throws EngineError, ModelError
 */
export function loadEngine(options: LoadOptions): Promise<Engine> {
  const worker = new Worker(new URL('./node-worker.mjs', import.meta.url));
  worker.unref();
  return loadInWorker(
    {
      post: (message, transfer) => worker.postMessage(message, transfer),
      onMessage: (listener) => worker.on('message', listener),
      terminate: () => void worker.terminate(),
      onFailure: (listener) => {
        worker.on('error', (error) => listener(error instanceof Error ? error.message : String(error)));
        worker.on('exit', (code) => listener(`exit code ${code}`));
      },
    },
    options,
  );
}
