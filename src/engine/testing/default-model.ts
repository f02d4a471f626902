import { makeManifest, openModelFiles } from '../../model/index.ts';
import { sourcesFrom } from '../../model/node.ts';
import { DEFAULT_MODEL } from '../../model/testing/default-model.ts';
import type { LoadOptions } from '../types.ts';

/** Questions to the default model in its chat form, as its tokenizer writes them: geography, a program, physics. */
export const DEFAULT_PROMPTS: readonly (readonly number[])[] = [
  [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198],
  [
    1, 4093, 198, 19161, 253, 5905, 1517, 338, 6765, 260, 304, 29, 373, 24681, 46477, 1230, 30, 2, 198, 1,
    520, 9531, 198,
  ],
  [1, 4093, 198, 4898, 1072, 913, 17663, 418, 253, 2208, 2779, 335, 253, 6740, 47, 2, 198, 1, 520, 9531, 198],
];

/** The whole default model, where `npm test` puts it. */
export async function openDefaultModel(): Promise<Pick<LoadOptions, 'manifest' | 'slice' | 'weights'>> {
  const opened = await openModelFiles(await sourcesFrom(DEFAULT_MODEL));
  const { manifest } = await makeManifest(opened);
  await Promise.all(opened.sources.map((source) => source.close?.()));
  return {
    manifest,
    slice: { start: 0, end: manifest.config.layers, embed: true, head: true },
    weights: { kind: 'files', files: [DEFAULT_MODEL] },
  };
}
