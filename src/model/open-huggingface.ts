import { asString, shown } from './checks.ts';
import { configFromHuggingFace } from './config-huggingface.ts';
import { ModelError } from './errors.ts';
import { MAX_TEMPLATE_LENGTH, modelName, type OpenedModel, readJsonFile } from './opened.ts';
import { readSafetensors } from './safetensors.ts';
import { checkTensors } from './tensor-layout.ts';
import type { ByteSource } from './types.ts';

const INDEX = 'model.safetensors.index.json';
const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_INDEX_BYTES = 16 * 1024 * 1024;
/** The largest tokenizer.json known (Gemma's) has 33 MiB. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
const MAX_SHARDS = 512;
/** What a tokenizer is made of; the first is needed. */
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'];

/** Opens the files of a Hugging Face folder. Files it does not know are left alone. */
export async function openHuggingFace(
  sources: readonly ByteSource[],
  signal?: AbortSignal,
): Promise<OpenedModel> {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const configFile = byName.get('config.json');
  if (!configFile)
    throw new ModelError(
      'not-a-model',
      `${shown(sources[0]?.name)} is no model by itself. Pick a .gguf file, or config.json together with the ` +
        '.safetensors and tokenizer files.',
    );
  const raw = await readJsonFile(configFile, MAX_CONFIG_BYTES, signal);
  const config = configFromHuggingFace(raw);
  const shards = await weightFiles(byName, signal);
  const tokenizerFiles = byName.has(TOKENIZER_FILES[0]!)
    ? TOKENIZER_FILES.map((name) => byName.get(name)).filter((source) => source !== undefined)
    : [];

  // Sorted, so that the manifest does not depend on the order in which files were picked.
  const single = shards.length === 1;
  const files = [
    ...shards.map((source) => ({ source, name: single ? 'model.safetensors' : source.name })),
    ...tokenizerFiles.map((source) => ({ source, name: source.name })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const indexOf = (source: ByteSource) => files.findIndex((file) => file.source === source);

  const tensors = [];
  for (const shard of [...shards].sort((a, b) => indexOf(a) - indexOf(b)))
    tensors.push(...(await readSafetensors(shard, indexOf(shard), signal)));
  refuseTwins(tensors.map((tensor) => tensor.name));
  return {
    format: 'safetensors',
    name: modelName(lastPart(raw._name_or_path), config),
    config,
    tensors: checkTensors(config, tensors),
    tokenizer: tokenizerRanges(tokenizerFiles, indexOf),
    chatTemplate: await chatTemplate(byName, signal),
    sources: files.map((file) => file.source),
    fileNames: files.map((file) => file.name),
  };
}

async function weightFiles(
  byName: ReadonlyMap<string, ByteSource>,
  signal?: AbortSignal,
): Promise<ByteSource[]> {
  const index = byName.get(INDEX);
  if (!index) {
    const found = [...byName.values()].filter((source) => source.name.endsWith('.safetensors'));
    if (found.length === 1) return found;
    throw new ModelError(
      found.length === 0 ? 'not-a-model' : 'not-found',
      found.length === 0
        ? 'There is config.json but no .safetensors file. Add the weights, or pick a .gguf file.'
        : `There are ${found.length} .safetensors files but no ${INDEX}. Add the index.`,
    );
  }
  const { weight_map: map } = await readJsonFile(index, MAX_INDEX_BYTES, signal);
  const names = new Set(Object.values(typeof map === 'object' && map !== null ? map : {}));
  if (names.size === 0 || names.size > MAX_SHARDS)
    throw new ModelError(
      'malformed',
      `${INDEX} names ${names.size} files; 1 to ${MAX_SHARDS} were expected.`,
    );
  return [...names].map((name) => {
    const shard = typeof name === 'string' ? byName.get(name) : undefined;
    if (!shard)
      throw new ModelError('not-found', `${INDEX} names ${shown(name)}, which is not there. Add that file.`);
    return shard;
  });
}

/** `checkSpans` sees one file at a time; the same name in two shards is as wrong. */
function refuseTwins(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new ModelError('malformed', `Two files hold a tensor named ${name}.`);
    seen.add(name);
  }
}

function tokenizerRanges(files: readonly ByteSource[], indexOf: (source: ByteSource) => number) {
  if (files.length === 0) return null;
  for (const { name, size } of files)
    if (size > MAX_TOKENIZER_BYTES)
      throw new ModelError(
        'too-large',
        `${name} has ${size} bytes; at most ${MAX_TOKENIZER_BYTES} are read.`,
      );
  const ranges = files.map((source) => ({ file: indexOf(source), offset: 0, bytes: source.size }));
  return { kind: 'huggingface' as const, ranges };
}

/** In the order in which transformers looks: its own file, then the tokenizer's configuration. */
async function chatTemplate(
  byName: ReadonlyMap<string, ByteSource>,
  signal?: AbortSignal,
): Promise<string | null> {
  const text = byName.get('chat_template.jinja');
  if (text) {
    if (text.size > MAX_TEMPLATE_LENGTH)
      throw new ModelError(
        'too-large',
        `${text.name} has ${text.size} bytes; at most ${MAX_TEMPLATE_LENGTH} are read.`,
      );
    return new TextDecoder().decode(await text.read(0, text.size, signal));
  }
  for (const name of ['chat_template.json', 'tokenizer_config.json']) {
    const file = byName.get(name);
    if (!file) continue;
    const { chat_template: own } = await readJsonFile(file, MAX_TOKENIZER_BYTES, signal);
    const template = Array.isArray(own) ? own.find((entry) => entry?.name === 'default')?.template : own;
    if (typeof template === 'string') return asString(template, 'The chat template', MAX_TEMPLATE_LENGTH);
  }
  return null;
}

function lastPart(path: unknown): string | null {
  return typeof path === 'string' ? (path.split(/[/\\]/).at(-1) ?? null) : null;
}
