import { asString } from './checks.ts';
import { configFromGguf } from './config-gguf.ts';
import { ModelError } from './errors.ts';
import { readGguf } from './gguf.ts';
import { openHuggingFace } from './open-huggingface.ts';
import { MAX_TEMPLATE_LENGTH, modelName, type OpenedModel } from './opened.ts';
import { checkTensors } from './tensor-layout.ts';
import type { ByteSource } from './types.ts';

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
