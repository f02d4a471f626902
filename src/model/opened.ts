import { asRecord, parseJson } from './checks.ts';
import { ModelError } from './errors.ts';
import type { ByteSource, ModelConfig, TensorInfo } from './types.ts';

/** Longer than any template known (the longest are about 20,000 characters). */
export const MAX_TEMPLATE_LENGTH = 512 * 1024;
export const MAX_NAME_LENGTH = 256;

/** A model whose headers were read and checked; its weights are still where they were. */
export interface OpenedModel {
  format: 'gguf' | 'safetensors';
  /** From the model's own metadata, so that it does not depend on where the files came from. */
  name: string;
  config: ModelConfig;
  /** Those that are used, in file order. */
  tensors: TensorInfo[];
  tokenizer: {
    kind: 'gguf' | 'huggingface';
    ranges: { file: number; offset: number; bytes: number }[];
  } | null;
  chatTemplate: string | null;
  /** The files that tensors and tokenizer refer to, in order. */
  sources: ByteSource[];
  /** Names of those files as a manifest gives them: the same however a single file was renamed. */
  fileNames: string[];
}

/** The name that the model gives itself, else one made of its shape. */
export function modelName(own: unknown, config: ModelConfig): string {
  const name = typeof own === 'string' ? own.trim() : '';
  if (name !== '' && name.length <= MAX_NAME_LENGTH) return name;
  return `${config.architecture} with ${config.layers} layers of ${config.width}`;
}

/** A JSON file of at most `maxBytes` as a record. */
export async function readJsonFile(
  source: ByteSource,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  if (source.size > maxBytes)
    throw new ModelError(
      'too-large',
      `${source.name} has ${source.size} bytes; at most ${maxBytes} are read.`,
    );
  return asRecord(parseJson(await source.read(0, source.size, signal), source.name), source.name);
}
