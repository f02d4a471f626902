import type { Engine, LoadOptions } from './types.ts';
import { loadInWorker } from './worker/client.ts';

/**
 * Loads a slice with onnxruntime-web in a dedicated Worker, so that the page never stutters.
 * @throws EngineError, ModelError
 */
export function loadEngine(options: LoadOptions): Promise<Engine> {
  const worker = new Worker(new URL('./web-worker.ts', import.meta.url), { type: 'module' });
  return loadInWorker(
    {
      post: (message, transfer) => worker.postMessage(message, transfer ?? []),
      onMessage: (listener) => worker.addEventListener('message', (event) => listener(event.data)),
      terminate: () => worker.terminate(),
      onFailure: (listener) => worker.addEventListener('error', (event) => listener(event.message)),
    },
    options,
  );
}
