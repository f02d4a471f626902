import { Wllama } from '@wllama/wllama/esm/index.js';
import wasmPath from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import type { Side } from '../side.ts';

/** One token in the default model's vocabulary. */
const WORD = ' the';

/** llama.cpp as WebAssembly, on the CPU, through the package most pages use. */
export async function wllamaSide(
  url: string,
  threads: number,
  maxTokens: number,
): Promise<{ side: Side; threads: number; loadMs: number }> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  const file = await response.blob();
  const wllama = new Wllama({ default: new URL(wasmPath, location.href).href }, { suppressNativeLog: true });
  const start = performance.now();
  await wllama.loadModel([file], {
    n_threads: threads,
    n_ctx: maxTokens,
    n_batch: 512,
    n_gpu_layers: 0,
    n_parallel: 1,
  });
  const loadMs = performance.now() - start;
  const side: Side = {
    name: 'wllama',
    async round(promptTokens, steps) {
      const request = {
        prompt: WORD.repeat(promptTokens),
        max_tokens: steps + 1,
        temp: 0,
        ignore_eos: true,
        // Not in the package's types, and its engine knows it: every round starts from an empty cache.
        cache_prompt: false,
      };
      const { timings } = await wllama.createCompletion(request);
      if (!timings) throw new Error('wllama gave no timings');
      if (timings.prompt_n !== promptTokens || timings.predicted_n !== steps + 1)
        throw new Error(
          `wllama ran ${timings.prompt_n} + ${timings.predicted_n} tokens, not ${promptTokens} + ${steps + 1}`,
        );
      // Its clock for answers starts at the first token, which comes from the prompt.
      return { prefillMs: timings.prompt_ms / promptTokens, decodeMs: timings.predicted_ms / steps };
    },
    close: () => wllama.exit(),
  };
  return { side, threads: wllama.isMultithread() ? wllama.getNumThreads() : 1, loadMs };
}
