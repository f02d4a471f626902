import { ModelError } from './errors.ts';
import { type HttpOptions, HttpSource } from './http-source.ts';
import { readJsonFile } from './opened.ts';
import type { ByteSource } from './types.ts';

const INDEX = 'model.safetensors.index.json';
const COMPANIONS = [
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
];

/**
 * The files of a model behind a URL: a .gguf, or a folder that holds config.json (or that file itself).
 * @throws ModelError `not-found`, `unreachable`, `stalled`, `aborted`
 */
export async function sourcesFromUrl(url: string, options: HttpOptions = {}): Promise<ByteSource[]> {
  const { pathname } = new URL(url);
  if (pathname.endsWith('.gguf')) return [await HttpSource.open(url, options)];
  const at = (name: string) => {
    const sibling = new URL(url);
    sibling.pathname = pathname.replace(/(\/config\.json|\/)?$/, `/${name}`);
    return sibling.href;
  };
  const config = await HttpSource.open(at('config.json'), options);
  const index = await optional(at(INDEX), options);
  const shards = index ? await shardNames(index, options) : ['model.safetensors'];
  const sources: ByteSource[] = [config];
  if (index) sources.push(index);
  for (const shard of shards) sources.push(await HttpSource.open(at(shard), options));
  for (const name of COMPANIONS) {
    const source = await optional(at(name), options);
    if (source) sources.push(source);
  }
  return sources;
}

async function optional(url: string, options: HttpOptions): Promise<HttpSource | null> {
  try {
    return await HttpSource.open(url, options);
  } catch (error) {
    if (error instanceof ModelError && error.code === 'not-found') return null;
    throw error;
  }
}

async function shardNames(index: HttpSource, { signal }: HttpOptions): Promise<string[]> {
  const { weight_map: map } = await readJsonFile(index, 16 * 1024 * 1024, signal);
  const names = new Set(Object.values(typeof map === 'object' && map !== null ? map : {}));
  return [...names].map((name) => {
    // A shard lies beside its index; anything else is an index that points somewhere it should not.
    if (typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name)) return name;
    throw new ModelError('malformed', `${INDEX} names a file that is no .safetensors file beside it.`);
  });
}
