import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import { makeManifest } from './manifest.ts';
import { sourcesFrom } from './node.ts';
import { openModelFiles } from './open.ts';
import { readTokenizer } from './read-tokenizer.ts';

/** `SHOAL_TEST_MODEL`, or where `npm start` puts the default model; without either there is nothing to test. */
const [{ files }] = CATALOGUE;
const downloaded = fileURLToPath(new URL(`../../data/models/${files[0]!.name}`, import.meta.url));
const path = process.env.SHOAL_TEST_MODEL ?? downloaded;

test.skipIf(!existsSync(path))('the default model opens, with its tokenizer and one cid', async () => {
  const opened = await openModelFiles(await sourcesFrom(path));
  expect(opened.config).toMatchObject({
    architecture: 'llama',
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
  });
  expect(opened.config).toMatchObject({
    headSize: 64,
    vocabulary: 49_152,
    contextLength: 8192,
    tiedEmbedding: true,
  });
  const { manifest, cid } = await makeManifest(opened);
  expect(cid).toBe('bafkreidri4cdmwewhd46es3ilta7rqqj46q2d4c7hwtwo4coziuobtrgyq');
  const tokenizer = await readTokenizer(manifest, { sources: [opened.sources] });
  expect(tokenizer?.stopTokens).toContain(2);
  expect(manifest.chatTemplate).toContain('<|im_start|>');
});
