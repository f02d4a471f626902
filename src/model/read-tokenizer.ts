import { parseJson } from './checks.ts';
import { ModelError } from './errors.ts';
import { fetchRange } from './fetch.ts';
import { readGgufMetadata } from './gguf.ts';
import type { Alternative } from './source-list.ts';
import type { ModelStore } from './store.ts';
import { tokenizerSpecFromGguf, tokenizerSpecFromHuggingFace } from './tokenizer/index.ts';
import type { Manifest, TokenizerSpec } from './types.ts';

/**
 * The tokenizer of a model, from the store or else from the sources (and kept in the store); null when the model's
 * files carry none.
 * @throws ModelError as `fetchRange`, `malformed`
 */
export async function readTokenizer(
  manifest: Manifest,
  from: { sources?: readonly Alternative[]; store?: ModelStore; signal?: AbortSignal },
): Promise<TokenizerSpec | null> {
  if (!manifest.tokenizer) return null;
  const parts = new Map<string, Uint8Array>();
  for (const range of manifest.tokenizer.ranges) {
    const data = await fetchRange({ manifest, range, ...from });
    parts.set(manifest.files[range.file]!.name, data);
  }
  if (manifest.tokenizer.kind === 'gguf') {
    const [header] = parts.values();
    return tokenizerSpecFromGguf(readGgufMetadata(header!));
  }
  const json = (name: string) => {
    const data = parts.get(name);
    return data && parseJson(data, name);
  };
  if (!parts.has('tokenizer.json'))
    throw new ModelError('malformed', 'The manifest names a tokenizer without tokenizer.json.');
  return tokenizerSpecFromHuggingFace(
    json('tokenizer.json'),
    json('tokenizer_config.json') ?? {},
    json('generation_config.json'),
  );
}
