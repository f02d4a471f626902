import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MODEL, defaultModelHeader } from '../model/testing/default-model.ts';
import { type GgufValue, writeGguf } from '../model/testing/gguf-writer.ts';
import { tokenizerSpecFromGguf } from '../model/tokenizer/index.ts';
import { llamaCppVocabulary } from './testing/llama-cpp.ts';
import { pieceVocabulary } from './testing/piece-vocabulary.ts';
import { sampleStrings } from './testing/strings.ts';
import { Tokenizer } from './tokenizer.ts';

let metadata: Record<string, unknown>;
let folder: string;
beforeAll(async () => {
  metadata = (await defaultModelHeader()).metadata;
  folder = await mkdtemp(join(tmpdir(), 'shoal-vocabularies-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function compare(path: string, own: Record<string, unknown>, strings: readonly string[]) {
  const theirs = await llamaCppVocabulary(path);
  const ours = new Tokenizer(tokenizerSpecFromGguf(own)!);
  const differences: unknown[] = [];
  for (const special of [false, true]) {
    for (const text of strings) {
      const expected = theirs.tokenize(text, special);
      const actual = ours.encode(text, { special });
      if (expected.join() !== actual.join()) differences.push({ text, special, expected, actual });
    }
  }
  await theirs.dispose();
  expect(differences.slice(0, 3)).toEqual([]);
  return ours;
}

describe("token ids equal llama.cpp's", () => {
  test('on 6,000 texts, with the default model', { timeout: 120_000 }, async () => {
    const ours = await compare(DEFAULT_MODEL, metadata, sampleStrings(6000, 1));
    expect([...ours.stopTokens]).toEqual([0, 2]);
  });

  // One name per pre-tokenizer; the others are aliases.
  const names = ['default', 'gpt-2', 'llama-bpe', 'dbrx', 'qwen2', 'tekken', 'gpt-4o'];
  test.each(names)('on 1,500 texts, with the pre-tokenizer "%s"', { timeout: 120_000 }, async (name) => {
    const own = { ...metadata, 'tokenizer.ggml.pre': name };
    const path = join(folder, `${name}.gguf`);
    await writeFile(path, writeGguf({ metadata: own as Record<string, GgufValue>, tensors: [] }));
    await compare(path, own, sampleStrings(1500, 2));
  });

  test.each([true, false])(
    'on 3,000 texts, with a SentencePiece vocabulary, space prefix %s',
    async (prefix) => {
      const own = { ...pieceVocabulary(), 'tokenizer.ggml.add_space_prefix': prefix };
      const path = join(folder, `pieces-${prefix}.gguf`);
      await writeFile(path, writeGguf({ metadata: own, tensors: [] }));
      await compare(path, own, sampleStrings(3000, 3));
    },
  );
});
