import { getLlama, type Llama, LlamaLogLevel, type LlamaModel } from 'node-llama-cpp';

let llama: Promise<Llama> | null = null;

/** The vocabulary of a GGUF file as llama.cpp itself reads it, on the CPU build that the package ships. */
export async function llamaCppVocabulary(modelPath: string): Promise<LlamaModel> {
  llama ??= getLlama({ gpu: false, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.fatal });
  return (await llama).loadModel({ modelPath, vocabOnly: true });
}
