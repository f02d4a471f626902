import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Manifest, makeManifest, openModelFiles, type WeightsLocation } from '../../model/index.ts';
import { sourcesFrom } from '../../model/node.ts';
import type { Expected } from './golden.ts';

export const FIXTURES = ['llama-tied', 'llama3-scaled-rope', 'qwen2', 'qwen3'] as const;
export type FixtureName = (typeof FIXTURES)[number];

export interface Fixture {
  manifest: Manifest;
  weights: WeightsLocation;
  expected: Expected;
}

/** One of the tiny models with PyTorch's output, through the same readers that a user's model takes. */
export async function openFixture(name: FixtureName): Promise<Fixture> {
  const folder = fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
  const opened = await openModelFiles(await sourcesFrom(folder));
  const { manifest } = await makeManifest(opened);
  await Promise.all(opened.sources.map((source) => source.close?.()));
  return {
    manifest,
    weights: { kind: 'files', files: manifest.files.map((file) => `${folder}/${file.name}`) },
    expected: JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected,
  };
}
