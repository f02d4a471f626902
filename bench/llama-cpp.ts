import { type ControlledEvaluateInputItem, getLlama, type Token } from 'node-llama-cpp';
import { modelPath } from './model.ts';
import { type Side, tokenAt } from './side.ts';

/** llama.cpp through its Node binding, on the CPU, on the same file and the same token ids. */
export async function llamaCppSide(threads: number, contextSize: number): Promise<Side> {
  const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: modelPath() });
  const context = await model.createContext({ contextSize, batchSize: 512, threads, sequences: 1 });
  const sequence = context.getSequence();
  const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
  const tokens = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => tokenAt(from + i, vocabulary) as Token);
  /** Asks for the next token after the last one, so that the head runs once, as it does on the other side. */
  const feed = async (ids: Token[]) => {
    const input: ControlledEvaluateInputItem[] = [...ids];
    input[ids.length - 1] = [ids.at(-1)!, { generateNext: { token: true, options: { temperature: 0 } } }];
    await sequence.controlledEvaluate(input);
  };
  return {
    name: 'llama.cpp',
    async round(promptTokens, steps) {
      await sequence.clearHistory();
      const start = performance.now();
      await feed(tokens(0, promptTokens));
      const prompted = performance.now();
      for (let at = promptTokens; at < promptTokens + steps; at++) await feed(tokens(at, at + 1));
      const end = performance.now();
      return { prefillMs: (prompted - start) / promptTokens, decodeMs: (end - prompted) / steps };
    },
    close: () => llama.dispose(),
  };
}
