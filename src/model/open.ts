import { asRecord, asString, parseJson } from './checks.ts';
import { configFromGguf } from './config-gguf.ts';
import { ModelError } from './errors.ts';
import { readGguf } from './gguf.ts';
import { openHuggingFace } from './open-huggingface.ts';
import { checkTensors } from './tensor-layout.ts';
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

/**
 * Opens a GGUF file, or the files of a Hugging Face folder in any order (config.json, *.safetensors with their
 * index, tokenizer.json and its companions). Reads headers only.
 * @throws ModelError with what is wrong and what to do
 */
export async function openModelFiles(
  sources: readonly ByteSource[],
  signal?: AbortSignal,
): Promise<OpenedModel> {
  const first = sources[0];
  if (!first)
    throw new ModelError('not-a-model', 'No file was given. Pick a .gguf file or a Hugging Face folder.');
  const ggufs = sources.filter((source) => /\.gguf$/i.test(source.name));
  if (ggufs.length > 1)
    throw new ModelError('not-a-model', 'There are several .gguf files. Pick the one to run.');
  const gguf = ggufs[0] ?? (sources.length === 1 && (await hasGgufMagic(first, signal)) ? first : null);
  return gguf ? openGguf(gguf, signal) : openHuggingFace(sources, signal);
}

async function hasGgufMagic(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  if (source.size < 4) return false;
  return new TextDecoder().decode(await source.read(0, 4, signal)) === 'GGUF';
}

async function openGguf(source: ByteSource, signal?: AbortSignal): Promise<OpenedModel> {
  const { metadata, tensors, headerBytes } = await readGguf(source, signal);
  const config = configFromGguf(metadata, tensors);
  const template = metadata['tokenizer.chat_template'];
  const hasTokenizer = metadata['tokenizer.ggml.model'] !== undefined;
  return {
    format: 'gguf',
    name: modelName(metadata['general.name'], config),
    config,
    tensors: checkTensors(config, tensors),
    tokenizer: hasTokenizer ? { kind: 'gguf', ranges: [{ file: 0, offset: 0, bytes: headerBytes }] } : null,
    chatTemplate:
      template === undefined ? null : asString(template, 'The chat template', MAX_TEMPLATE_LENGTH),
    sources: [source],
    fileNames: ['model.gguf'],
  };
}

/** The name that the model gives itself, else one made of its shape. */
export function modelName(own: unknown, config: ModelConfig): string {
  const name = typeof own === 'string' ? own.trim() : '';
  if (name !== '' && name.length <= MAX_NAME_LENGTH) return name;
  return `${config.architecture} with ${config.layers} layers of ${config.width}`;
}

/** A small JSON file as a record. */
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
